/** Dockerfiles that cover the language: each with its context, and whether buildah 1.28 has what it uses. */

export interface CorpusCase {
  readonly name: string;
  readonly dockerfile: string;
  /** Contents by path; a path with a slash at its end is a directory; a value that begins with `->` is a link. `mode:TEXT` sets the mode (octal). */
  readonly files?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** False: it lacks the feature, or departs from the reference; what is recorded is what the reference says. */
  readonly buildah?: boolean;
}

const FILES = { 'a.txt': 'a\n', 'b.txt': 'b\n', 'd/one': '1', 'd/sub/two': '2', 'd/link': '->one' };

export const CORPUS: readonly CorpusCase[] = [
  // ---- COPY ----
  { name: 'copy-file', files: FILES, dockerfile: 'FROM busybox:1\nCOPY a.txt /to\nCOPY a.txt b.txt /dir/\nCOPY a.txt /new/deep/name\n' },
  { name: 'copy-directory', files: FILES, dockerfile: 'FROM busybox:1\nCOPY d /x\nCOPY d/ /y/\nCOPY d /tmp\nCOPY d/sub /z/in/\n' },
  { name: 'copy-wildcards', files: { 'one.txt': '1', 'two.txt': '2', 'three.md': '3', 'n10': 'x', 'nab': 'y' }, dockerfile: 'FROM busybox:1\nCOPY *.txt /t/\nCOPY n?? /q/\nCOPY [ot]*.txt /c/\nCOPY n[0-9]* /r/\n' },
  { name: 'copy-json', files: { 'with space': 's', 'b.txt': 'b' }, dockerfile: 'FROM busybox:1\nCOPY ["with space", "b.txt", "/my dir/"]\n' },
  { name: 'copy-workdir', files: FILES, dockerfile: 'FROM busybox:1\nWORKDIR /w\nCOPY a.txt .\nCOPY a.txt rel/\nCOPY b.txt ./named\nWORKDIR sub\nCOPY a.txt ../up\n' },
  { name: 'copy-chown', files: FILES, dockerfile: 'FROM busybox:1\nCOPY --chown=app a.txt /1\nCOPY --chown=app:wheel d /2\nCOPY --chown=7:8 d /3/\nCOPY --chown=1000 a.txt /4\nCOPY --chown=0:app a.txt /new/5\n' },
  { name: 'copy-chmod', files: { 'a.txt': 'mode:600 x', 'd/f': 'mode:640 y', 'd/s/g': 'mode:755 z' }, dockerfile: 'FROM busybox:1\nCOPY a.txt d/f /plain/\nCOPY --chmod=751 a.txt /file\nCOPY --chmod=0444 --chown=3:4 a.txt /owned\n' },
  { name: 'copy-modes', files: { 'a': 'mode:711 x', 'd/b': 'mode:604 y' }, dockerfile: 'FROM busybox:1\nCOPY a /a\nCOPY d /d\n' },
  { name: 'copy-chmod-symbolic', buildah: false, files: { 'd/f': 'mode:640 y', 'd/x': 'mode:750 y' }, dockerfile: 'FROM busybox:1\nCOPY --chmod=u=rwX,go=rX d /d\nCOPY --chmod=a+x,o-r d/f /f\n' },
  { name: 'copy-onto-links', files: FILES, dockerfile: 'FROM busybox:1\nRUN mkdir -p /real && ln -s /real /l && ln -s real/target /file-link && touch /real/target\nCOPY a.txt /l/x\nCOPY d /l/\nCOPY b.txt /file-link\n' },
  { name: 'copy-over', files: FILES, dockerfile: 'FROM busybox:1\nRUN mkdir -p /x/sub && echo old > /x/one && echo kept > /x/kept && chmod 700 /x && chown 5:6 /x\nCOPY d /x\n' },
  { name: 'copy-source-links', files: { ...FILES, dl: '->d', 'file-link': '->a.txt' }, dockerfile: 'FROM busybox:1\nCOPY dl /x\nCOPY file-link /y\nCOPY dl/one /z\n' },
  { name: 'copy-from-stage', files: FILES, dockerfile: 'FROM busybox:1 AS first\nRUN mkdir /o && echo made > /o/f && chown -R 9:10 /o && ln -s f /o/l && ln /o/f /o/hard\nFROM busybox:1\nCOPY --from=first /o /o\nCOPY --from=0 /o/f /f\nCOPY --from=first --chown=1:2 /o /p/\nCOPY --from=first /etc/group /o/f /several/\n' },
  { name: 'copy-from-image', dockerfile: 'FROM scratch\nCOPY --from=busybox:1 /etc/passwd /copied\nCOPY --from=busybox:1 /home /home\n' },
  { name: 'copy-link', buildah: false, files: FILES, dockerfile: 'FROM busybox:1\nCOPY --link a.txt /new/dir/a\nCOPY --link --chown=4:5 d /linked/\nCOPY --link=false b.txt /plain\n' },
  { name: 'copy-parents', buildah: false, files: { 'x/a.txt': '1', 'x/y/b.txt': '2', 'z/y/c.txt': '3' }, dockerfile: 'FROM busybox:1\nCOPY --parents x/a.txt z/y/c.txt /p/\nCOPY --parents x/./y/*.txt /q/\nCOPY --parents ./*/y/*.txt /r\n' },
  { name: 'copy-exclude', buildah: false, files: { 'd/a.txt': '1', 'd/b.md': '2', 'd/s/c.txt': '3', 'd/s/d.md': '4', 'top.txt': '5', 'top.md': '6' }, dockerfile: 'FROM busybox:1\nCOPY --exclude=*.txt d /1\nCOPY --exclude=**/*.txt --exclude=b.md d /2\nCOPY --exclude=*.md top.* /3/\nCOPY --exclude=s d /4\n' },
  { name: 'copy-heredoc', buildah: false, dockerfile: 'FROM busybox:1\nARG WHO=you\nCOPY <<one <<"two" /h/\nhello $WHO\none\nraw $WHO\ntwo\nCOPY --chmod=755 <<-EOF /bin/tool\n\t#!/bin/sh\n\techo \\$WHO\nEOF\nADD <<f /added\nx\nf\n' },
  { name: 'copy-empty-directory', files: { 'e/empty/': '', 'e/f': 'f' }, dockerfile: 'FROM busybox:1\nCOPY e /e\n' },
  { name: 'copy-all', files: { ...FILES, '.dockerignore': 'Dockerfile\n.dockerignore\n' }, dockerfile: 'FROM busybox:1\nCOPY . /all\nCOPY . /\n' },
  // ---- .dockerignore ----
  { name: 'ignore', files: { '.dockerignore': '# comment\n*.log\n!keep.log\nnode_modules\n**/tmp\nsecret?\n/rooted\nd/*\n!d/keep\n', 'a.log': 'x', 'keep.log': 'y', 'node_modules/m/f': 'z', 's/tmp/f': 't', 's/other': 'o', 'secret1': 's', 'secret10': 's', 'rooted': 'r', 's/rooted': 'r', 'd/gone': 'g', 'd/keep': 'k' }, dockerfile: 'FROM busybox:1\nCOPY . /all\n' },
  { name: 'ignore-exceptions', files: { '.dockerignore': '*\n!src\nsrc/private\n!src/private/public\n', 'top': 'x', 'src/a': 'a', 'src/private/b': 'b', 'src/private/public/c': 'c', 'src/deep/er/d': 'd' }, dockerfile: 'FROM busybox:1\nCOPY . /all\n' },
  // ---- ADD ----
  { name: 'add-files', files: FILES, dockerfile: 'FROM busybox:1\nADD a.txt /a\nADD --chown=app:app d /d/\nADD b.txt a.txt /both/\n' },
  { name: 'add-archives', files: { 'plain.tar': 'tar:', 'packed.tar.gz': 'tar.gz:', 'data.gz': 'gz:no archive' }, dockerfile: 'FROM busybox:1\nADD plain.tar /plain/\nADD packed.tar.gz /packed\nADD data.gz /data/\nCOPY plain.tar /copied/\n' },
  { name: 'add-unpack', buildah: false, files: { 'plain.tar': 'tar:' }, dockerfile: 'FROM busybox:1\nADD --unpack=false plain.tar /kept/\nADD --unpack=true --chown=2:3 plain.tar /owned/\n' },
  // ---- variables ----
  { name: 'env', dockerfile: 'FROM busybox:1\nENV A=1 B="two words" C=th\\ ree\nENV OLD the rest of it\nENV D=$A-${B}-${UNSET:-default}-${A:+alt} E=\'$A\' F="\\$A" A=2\nENV G=$A\nRUN echo "$A|$B|$C|$OLD|$D|$E|$F|$G" > /env\n' },
  { name: 'args', args: ['--build-arg', 'GIVEN=from-flag', '--build-arg', 'OVER=flag'], dockerfile: 'ARG VERSION=1\nARG UNUSED=x\nFROM busybox:$VERSION\nARG VERSION\nARG GIVEN\nARG OVER=file\nARG PLAIN=default\nENV OVER2=$OVER\nRUN echo "$VERSION|$GIVEN|$OVER|$PLAIN|${UNUSED-unset}" > /args\nARG LATE=$PLAIN-x\nRUN echo $LATE > /late\n' },
  { name: 'args-scope', dockerfile: 'ARG G=global\nFROM busybox:1 AS one\nARG G\nARG ONE=1\nRUN echo "$G $ONE" > /one\nFROM one AS two\nRUN echo two > /two\nFROM busybox:1\nCOPY --from=two /one /two /\nRUN echo "${G-unset} ${ONE-unset}" > /three\n' },
  { name: 'args-inherited', buildah: false, dockerfile: 'FROM busybox:1 AS one\nARG ONE=1\nFROM one\nRUN echo "$ONE" > /two\n' },
  { name: 'args-and-env', args: ['--build-arg', 'X=arg'], dockerfile: 'FROM busybox:1\nARG X=default\nENV X=env\nRUN echo $X > /x\nENV Y=${X}\n' },
  { name: 'platform-args', dockerfile: 'FROM --platform=linux/amd64 busybox:1\nARG TARGETOS\nARG TARGETARCH\nARG TARGETPLATFORM\nRUN echo $TARGETOS $TARGETARCH $TARGETPLATFORM > /p\n' },
  { name: 'expansion', buildah: false, dockerfile: 'FROM busybox:1\nENV V=path/to/file.tar.gz\nENV A=${V#*/} B=${V##*/} C=${V%.*} D=${V%%.*} E=${V/t/T} F=${V//t/T} H=${NOPE:-${V}} I=${V:?needed}\n' },
  { name: 'variables-everywhere', files: FILES, dockerfile: 'FROM busybox:1\nENV N=a.txt DIR=/dir PORT=80 WHO=app VOL=/vol SIG=SIGINT KEY=key\nCOPY $N ${DIR}/\nWORKDIR $DIR/work\nEXPOSE $PORT\nVOLUME $VOL\nSTOPSIGNAL $SIG\nLABEL $KEY=$WHO\nUSER $WHO\n' },
  // ---- RUN ----
  { name: 'run-forms', dockerfile: 'FROM busybox:1\nRUN echo shell > /1\nRUN ["sh", "-c", "echo exec > /2"]\nRUN echo a && \\\n  # a comment\n  echo b > /3\nSHELL ["/bin/sh", "-e", "-c"]\nRUN false || echo set > /4\n' },
  { name: 'run-changes', dockerfile: 'FROM busybox:1\nRUN mkdir -p /t/a /t/b && echo 1 > /t/a/1 && echo 2 > /t/b/2 && ln -s a /t/l && ln /t/a/1 /t/h && touch /t/gone\nRUN rm -r /t/a && mkdir /t/a && echo 3 > /t/a/3 && rm /t/gone && mv /t/b /t/c && chmod 4750 /t/c/2 && chown 3:4 /t/h && rm /t/l && mkdir /t/l && echo app > /t/l/f\nRUN echo more >> /t/a/3 && rm /etc/group\n' },
  { name: 'run-user', dockerfile: 'FROM busybox:1\nUSER app\nWORKDIR /home/app\nRUN id -u > u && id -g > g && echo $HOME > h\nUSER 5:6\nRUN id -u > /tmp/u\nUSER root\nRUN echo root > /r\n' },
  { name: 'run-heredoc', buildah: false, dockerfile: 'FROM busybox:1\nRUN <<EOF\necho one > /1\necho $HOME > /2\nEOF\nRUN cat <<A > /3 && cat <<B > /4\nfirst\nA\nsecond\nB\nRUN <<"S"\n#!/bin/sh\necho script > /5\nS\nRUN <<-T\n\techo tabs > /6\n\tT\n' },
  { name: 'run-special-files', dockerfile: 'FROM busybox:1\nRUN mkdir /s && chmod 1777 /s && echo x > "/s/with space" && mkdir /s/2775 && chmod 2775 /s/2775 && ln -s /nowhere /s/dangling && touch "/s/\\\\back"\n' },
  { name: 'run-mount-cache', buildah: false, dockerfile: 'FROM busybox:1\nRUN --mount=type=cache,target=/c echo 1 > /c/f && touch /made\nRUN --mount=type=cache,target=/c cat /c/f > /seen\nRUN --mount=type=cache,id=other,target=/c,uid=1000,mode=0700 ls -ld /c | cut -c1-10 > /other; ls /c | wc -l >> /other\n' },
  { name: 'run-mount-bind', files: FILES, buildah: false, dockerfile: 'FROM busybox:1 AS src\nRUN mkdir /o && echo o > /o/f\nFROM busybox:1\nRUN --mount=type=bind,target=/ctx cat /ctx/a.txt > /1\nRUN --mount=type=bind,source=d/one,target=/one cat /one > /2\nRUN --mount=type=bind,from=src,source=/o,target=/o,rw echo lost > /o/g && cat /o/f > /3\nRUN --mount=from=src,target=/all cat /all/o/f > /4; echo x > /all/no || echo read-only > /5\n' },
  { name: 'run-mount-tmpfs', dockerfile: 'FROM busybox:1\nRUN --mount=type=tmpfs,target=/scratch echo gone > /scratch/f && cat /scratch/f > /kept && rm -f /scratch/f\nRUN rmdir /scratch 2>/dev/null || true\n' },
  { name: 'run-mount-secret', args: ['--secret', 'id=key,src=a.txt'], files: FILES, buildah: false, dockerfile: 'FROM busybox:1\nRUN --mount=type=secret,id=key cat /run/secrets/key > /1\nRUN --mount=type=secret,id=key,target=/deep/er/key,mode=0444,uid=1000 stat -c "%a %u" /deep/er/key > /2\nRUN --mount=type=secret,id=key,env=KEY echo "$KEY" > /3\nRUN --mount=type=secret,id=absent test ! -e /run/secrets/absent\n' },
  { name: 'run-network', buildah: false, dockerfile: 'FROM busybox:1\nRUN --network=none cat /proc/net/dev | grep -c : > /n\nRUN --network=default true\nRUN --security=sandbox true\n' },
  // ---- stages ----
  { name: 'stages', files: FILES, dockerfile: 'FROM busybox:1 AS base\nRUN echo base > /base\nFROM base AS next\nRUN echo next > /next\nFROM busybox:1 AS unneeded\nRUN false\nFROM next\nCOPY --from=base /base /again\n' },
  { name: 'target', args: ['--target', 'middle'], dockerfile: 'FROM busybox:1 AS first\nRUN echo 1 > /1\nFROM first AS middle\nRUN echo 2 > /2\nCMD ["middle"]\nFROM middle\nRUN false\n' },
  { name: 'scratch', files: FILES, dockerfile: 'FROM scratch\nCOPY d /d\nLABEL a=b\n' },
  // ---- configuration ----
  { name: 'cmd-entrypoint', dockerfile: 'FROM busybox:1\nCMD ["a", "b"]\nENTRYPOINT ["/bin/echo", "x"]\nCMD ["c"]\n' },
  { name: 'cmd-shell', dockerfile: 'FROM busybox:1\nENTRYPOINT exec top -b\nCMD echo $HOME "quoted"\n' },
  { name: 'entrypoint-resets', dockerfile: 'FROM busybox:1\nENTRYPOINT ["/bin/sh"]\n' },
  { name: 'labels', args: ['--label', 'given=yes', '--label', 'three=over'], dockerfile: 'FROM busybox:1\nLABEL one=1 "two words"="a b" three=\'x\'\nLABEL old the value\nLABEL multi="a \\\nb"\n' },
  { name: 'expose', dockerfile: 'FROM busybox:1\nEXPOSE 80 443/tcp 53/udp\n' },
  { name: 'volume', buildah: false, dockerfile: 'FROM busybox:1\nVOLUME /a /b\nVOLUME ["/c", "/d e"]\n' },
  { name: 'expose-range', buildah: false, dockerfile: 'FROM busybox:1\nEXPOSE 8000-8002 9000-9001/UDP 127.0.0.1:80:8080\n' },
  { name: 'stopsignal', dockerfile: 'FROM busybox:1\nSTOPSIGNAL SIGKILL\n' },
  { name: 'healthcheck', dockerfile: 'FROM busybox:1\nHEALTHCHECK --interval=5m --timeout=3s --start-period=10s --retries=4 CMD wget -q localhost || exit 1\n' },
  { name: 'healthcheck-none', dockerfile: 'FROM busybox:1\nHEALTHCHECK CMD ["check", "it"]\nHEALTHCHECK NONE\n' },
  { name: 'user-workdir', dockerfile: 'FROM busybox:1\nUSER app:wheel\nWORKDIR /abs\nWORKDIR rel\nWORKDIR ../other\n', buildah: false },
  { name: 'workdir', dockerfile: 'FROM busybox:1\nWORKDIR /a\nWORKDIR b/c\nWORKDIR ../d\nRUN pwd > /pwd\n' },
  { name: 'maintainer', dockerfile: 'FROM busybox:1\nMAINTAINER Some One <one@example.com>\n' },
  { name: 'onbuild', files: FILES, dockerfile: 'FROM busybox:1\nONBUILD COPY a.txt /a\nONBUILD RUN echo built > /b\n' },
  // ---- the text itself ----
  { name: 'directives', buildah: false, dockerfile: '# syntax=docker/dockerfile:1\n# escape=`\nFROM busybox:1\nRUN echo a ` \n  b > /1\nENV P=C:\\x\n' },
  { name: 'text', dockerfile: '\n# a comment\nfrom busybox:1 as x\n\n   run echo   indented > /1\nRUN echo \\\n\\\n  lines > /2\nRUN echo "#no comment" > /3 # passed on\nlabel a="#"\n' },
  { name: 'crlf', dockerfile: 'FROM busybox:1\r\nRUN echo a > /1 && \\\r\n  echo b > /2\r\nENV A=b\r\n' },
];

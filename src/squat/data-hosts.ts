/**
 * Registries, what is mistaken for them, and tags. Sources: the registries' own documentation (each host is where its owner says to pull from); for
 * `mistake`: the hosts that are documented as wrong or as moved (registry.k8s.io announcement, 2023: k8s.gcr.io is frozen; GitHub: docker.pkg.github.com
 * was replaced by ghcr.io; bmitch.net, 2025-08-22: ghrc.io asks for credentials), and sites whose registry has another name. Curated by hand.
 */
export const HOST_NAMES = `
host 3:
  docker.io ghcr.io quay.io gcr.io registry.k8s.io mcr.microsoft.com public.ecr.aws registry.gitlab.com
host 2:
  docker.elastic.co nvcr.io registry.access.redhat.com registry.redhat.io lscr.io cgr.dev icr.io registry-1.docker.io index.docker.io
  us.gcr.io eu.gcr.io asia.gcr.io mirror.gcr.io marketplace.gcr.io us-docker.pkg.dev europe-docker.pkg.dev asia-docker.pkg.dev
  registry.fedoraproject.org registry.opensuse.org registry.suse.com container-registry.oracle.com registry.digitalocean.com codeberg.org dhi.io
host 1:
  us.icr.io de.icr.io uk.icr.io registry.connect.redhat.com registry.centos.org registry.ci.openshift.org registry.heroku.com registry.fly.io
  docker.n8n.io docker.gitea.com docker.redpanda.com docker.dragonflydb.io docker.getoutline.com docker.io.mirrors.ustc.edu.cn ghcr.nju.edu.cn
  docker-registry.wikimedia.org projects.registry.vmware.com registry.opendev.org registry.rocket.chat xpkg.upbound.io data.forgejo.org
  docker.cloudsmith.io docker.packages.broadcom.com releases-docker.jfrog.io repo.radeon.com download.docker.com ccr.ccs.tencentyun.com
  registry.npmmirror.com registry.terraform.io r.j3ss.co docker.mirrors.sjtug.sjtu.edu.cn m.daocloud.io docker.m.daocloud.io

# whoever has an account there has a name below it
suffix 2:
  azurecr.io amazonaws.com pkg.dev gcr.io icr.io ocir.io jfrog.io gitlab.com aliyuncs.com myhuaweicloud.com tencentyun.com scw.cloud
  cloudsmith.io ecr.aws docker.io vultrcr.com redhat.com openshift.com k8s.io microsoft.com

mistake:
  ghrc.io=ghcr.io gchr.io=ghcr.io gcrh.io=ghcr.io ghcr.com=ghcr.io github.com=ghcr.io docker.pkg.github.com=ghcr.io ghcr.github.com=ghcr.io
  hub.docker.com=docker.io docker.com=docker.io registry.docker.com=docker.io registry.hub.docker.com=docker.io registry.docker.io=docker.io
  registry-2.docker.io=docker.io dockerhub.io=docker.io dockerhub.com=docker.io docker.hub=docker.io hub.docker.io=docker.io
  gitlab.com=registry.gitlab.com registry.gitlab.io=registry.gitlab.com quay.com=quay.io quay.coreos.com=quay.io quay.redhat.com=quay.io
  k8s.gcr.io=registry.k8s.io gcr.k8s.io=registry.k8s.io k8s.io=registry.k8s.io registry.kubernetes.io=registry.k8s.io registry.k8.io=registry.k8s.io
  microsoft.com=mcr.microsoft.com mcr.io=mcr.microsoft.com mrc.microsoft.com=mcr.microsoft.com docker.microsoft.com=mcr.microsoft.com
  elastic.co=docker.elastic.co registry.elastic.co=docker.elastic.co ecr.aws=public.ecr.aws ecr.public.aws=public.ecr.aws aws.ecr.public=public.ecr.aws
  grc.io=gcr.io google.gcr.io=gcr.io nvidia.com=nvcr.io registry.nvidia.com=nvcr.io registry.redhat.com=registry.access.redhat.com
  linuxserver.io=lscr.io docker.linuxserver.io=lscr.io chainguard.dev=cgr.dev registry.fedora.org=registry.fedoraproject.org

tag:
  latest stable alpine bullseye bookworm trixie buster stretch jessie focal jammy noble bionic xenial nightly mainline nanoserver
  windowsservercore edge slim minimal testing unstable preview rolling
# words of tags that look like those above
tagword:
  local last later table tables least alpina buste vocal nobel bustle strech stretched stale tested tasting resting slime edges previews
  minimum rollin latent fastest
`;

"""Drives a command in a pseudo-terminal: python3 terminal-driver.py STEPS COMMAND...

STEPS is JSON: ["expect", REGEX], ["send", TEXT], ["resize", ROWS, COLUMNS], ["signal", NUMBER], ["touch", FILE]. Prints JSON: what was shown, the
wait status, and whether the terminal's settings are those from before.
"""
import fcntl, json, os, pty, re, select, signal, struct, sys, termios, time

steps, command = json.loads(sys.argv[1]), sys.argv[2:]
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
before = termios.tcgetattr(slave)
pid = os.fork()
if pid == 0:
    os.close(master)
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in range(3):
        os.dup2(slave, fd)
    os.execvp(command[0], command)
shown, seen, failure = b"", 0, ""


def pump(seconds):
    global shown
    if select.select([master], [], [], seconds)[0]:
        try:
            shown += os.read(master, 65536)
        except OSError:
            return False
    return True


for step in steps:
    if step[0] == "expect":
        deadline = time.time() + 45
        while True:
            match = re.search(step[1].encode(), shown[seen:])
            if match:
                seen += match.end()
                break
            if time.time() > deadline or not pump(0.2):
                failure = f"never saw {step[1]}"
                break
        if failure:
            break
    elif step[0] == "send":
        time.sleep(0.2)
        os.write(master, step[1].encode())
    elif step[0] == "resize":
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", step[1], step[2], 0, 0))
        time.sleep(0.5)
    elif step[0] == "signal":
        os.kill(pid, step[1])
    elif step[0] == "touch":
        open(step[1], "w").close()
deadline = time.time() + 30
status = None
while time.time() < deadline and status is None:
    pump(0.1)
    done, wait_status = os.waitpid(pid, os.WNOHANG)
    if done:
        status = os.waitstatus_to_exitcode(wait_status)
if status is None:
    os.kill(pid, signal.SIGKILL)
    failure = failure or "did not end"
pump(0.1)
print(json.dumps({"shown": shown.decode("utf-8", "replace"), "status": status, "restored": termios.tcgetattr(slave) == before, "failure": failure}))

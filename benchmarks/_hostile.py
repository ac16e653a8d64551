"""Damaged files, and a child process with limits in which they are tried."""

import csv
import json
import os
import signal

GIVE_UP = 16 * 2**30  # bytes of address space


def mutate(data, rng):
    """Change, cut out, repeat or cut off some bytes, anywhere."""
    data = bytearray(data)
    start, length = int(rng.integers(len(data))), int(rng.integers(1, 64))
    match rng.integers(4):
        case 0:
            for at in rng.integers(len(data), size=rng.integers(1, 8)):
                data[at] ^= int(rng.integers(1, 256))
        case 1:
            del data[start : start + length]
        case 2:
            data[start:start] = data[start : start + length]
        case 3:
            del data[start:]
    return bytes(data)


def in_child(function, *arguments, seconds, stdin=None):
    """Call a function in a forked process with limits.

    Returns
    -------
    result : object
        What the function returns, which JSON must be able to hold; "crash" or "hang" if the process
        ends without it.
    cpu_s, peak_mb : int
        Processor time in seconds, and the largest memory.
    """
    import resource  # not on Windows

    receiver, sender = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(receiver)
        os.dup2(os.open(os.devnull, os.O_RDONLY) if stdin is None else stdin.fileno(), 0)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        resource.setrlimit(resource.RLIMIT_AS, (GIVE_UP, GIVE_UP))
        signal.alarm(seconds)  # ends the process
        try:
            os.write(sender, json.dumps(function(*arguments)).encode())
        finally:
            os._exit(0)
    os.close(sender)
    with os.fdopen(receiver, "rb") as file:
        answer = file.read()
    _, status, usage = os.wait4(pid, 0)
    is_late = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM
    result = json.loads(answer) if answer else "hang" if is_late else "crash"
    return result, round(usage.ru_utime + usage.ru_stime), usage.ru_maxrss // 1024


def write_rows(path, rows):
    """Write rows, which are dictionaries of the same keys, as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)

"""Runs rpctunnel-ping and looks at what it says."""
import os
import subprocess
import time

import lab

PING = os.environ['OBJ'] + '/rpctunnel-ping'


def ping(*arguments, stdin=subprocess.DEVNULL, limit=20, **more):
    begin = time.monotonic()
    done = subprocess.run([PING, *arguments], stdin=stdin, capture_output=True, timeout=limit, **more)
    done.text = (done.stdout + done.stderr).decode('latin-1')
    done.seconds = time.monotonic() - begin
    return done


def expect(text, done, code, *words):
    lab.same(done.returncode, code, f'{text}: exit code\n{done.text}')
    for word in words:
        lab.check(word in done.text, f'{text}: says nothing of {word!r}\n{done.text}')
    lab.check('\x1b' not in done.text and lab.PASSWORD not in done.text, f'{text}: unsafe output\n{done.text!r}')

"""What README and the manuals give their readers to copy: the literal blocks, as a reader sees them."""
import glob
import os
import re
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# As the Makefile writes the configured paths into the manuals.
PATHS = {'@confdir@': '/etc/rpctunnel', '@statedir@': '/var/lib/rpctunnel', '@rundir@': '/run/rpctunnel', '@sbindir@': '/usr/sbin'}
COMMAND = re.compile(r'\$ |(sudo |sudoedit |make\b|scripts/|autoreconf\b|\./configure\b|install |rpctunnel|journalctl |systemctl )')


def read(name):
    with open(os.path.join(TOP, name)) as file:
        text = file.read()
    for word, path in PATHS.items():
        text = text.replace(word, path)
    return text


class Block:
    """`document` and the text; `title` is its first line, which tells blocks apart."""

    def __init__(self, document, text):
        self.document, self.text = document, text
        self.title = text.split('\n', 1)[0].strip()

    def is_commands(self):
        return bool(COMMAND.match(self.title)) and not re.match(r'\S+\([158]\)', self.title)


class Command:
    """One command of a block, all its lines, and the lines of output that the block shows after it."""

    def __init__(self, document, text):
        self.document, self.text, self.output = document, text, ''


def whole(text):
    """The shell would not wait for another line."""
    return not text.endswith('\\') and subprocess.run(['bash', '-n', '-c', text], stderr=subprocess.DEVNULL).returncode == 0


def commands(block):
    found, open_ = [], False
    prompted = block.text.startswith('$ ')
    for line in block.text.rstrip('\n').split('\n'):
        if open_:
            found[-1].text += '\n' + line
        elif prompted and not line.startswith('$ '):
            found[-1].output += line + '\n'
            continue
        else:
            # README explains in a second column.
            text = re.sub(r' {2,}.*', '', line) if block.document == 'README' else line
            found.append(Command(block.document, text.removeprefix('$ ')))
        open_ = not whole(found[-1].text)
    return found


def shown(roff):
    """Text of a literal block as mandoc shows it. Macros within a block are none of our habits."""
    assert not re.search(r'^[.\']', roff, re.M), f'a macro in a literal block: {roff}'
    text = roff.replace('\\&', '').replace('\\e', '\\')
    assert '\\' not in text.replace('\\\n', '').replace('\\"', ''), f'an escape that this script does not know: {roff}'
    return text


def pieces(text):
    """A block that shows several files: each begins with a comment line that names it."""
    return [part.strip('\n') + '\n' for part in re.split(r'\n\n(?=# )', text.strip('\n'))]


def of_manual(name):
    text = read(name)
    found = [(match.start(), match.group(1)) for match in re.finditer(r'^\.Bd -literal.*\n((?:.*\n)*?)\.Ed$', text, re.M)]
    found += [(match.start(), match.group(1) + '\n') for match in re.finditer(r'^\.Dl (.*)$', text, re.M)]
    return [Block(name, piece) for _, block in sorted(found) for piece in pieces(shown(block))]


def of_readme():
    blocks = []
    for paragraph in re.split(r'\n\s*\n', read('README')):
        lines = paragraph.strip('\n').split('\n')
        if all(line.startswith('    ') for line in lines):
            blocks.append(Block('README', '\n'.join(line[4:] for line in lines) + '\n'))
    return blocks


def blocks():
    manuals = sorted(os.path.relpath(path, TOP) for path in glob.glob(os.path.join(TOP, 'man/*.[158]')))
    found = of_readme() + [block for name in manuals for block in of_manual(name)]
    found += [Block(name, read(name)) for name in sorted(os.path.join('etc', name) for name in os.listdir(os.path.join(TOP, 'etc')))]
    return found

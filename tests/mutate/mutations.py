"""What may be changed in a C++ source: one-line faults of the kinds that people make.

The source is not parsed, only looked at closely enough: comments, strings and preprocessor lines are blanked out, braces
are told apart (function, control, anything else), statements are found. A change that does not compile costs a second and
is not counted.
"""
import re

# What changes no behaviour that a test should see: checks of our own, the log, memory ahead of time.
SILENT = re.compile(r"\b(?:assert|static_assert|log::\w+|\w+(?:\.|->)(?:reserve|shrink_to_fit)|report_shortage)\s*\(")
DECLARATION = re.compile(
    r"(?:(?:const|static|constexpr|auto|using|mutable|typename|struct|enum|class|extern|friend|template)\b"
    r"|(?:[A-Za-z_][\w:]*(?:<[^;=]*>)?[\s*&]+(?:const\b[\s*&]*)?)+[A-Za-z_]\w*\s*(?:[=;({\[]|$)"
    r"|\[\[maybe_unused\]\])")
EARLY = (
    (r"(?:static |inline |constexpr |virtual )*void\b", ("return;",)),
    (r"(?:static |inline |constexpr |virtual )*bool\b", ("return true;", "return false;")),
    (r"(?:static |inline |constexpr )*const char\*", ("return nullptr;",)),
    (r"(?:static |inline |constexpr )*(?:std::size_t|std::u?int\d+_t)\b", ("return 0;",)),
    (r"(?:static |inline |constexpr )*std::optional\b", ("return std::nullopt;",)),
)
SWAPS = {"in": "out", "out": "in", "client": "server", "server": "client", "successor": "predecessor",
         "predecessor": "successor", "in_successor": "in_predecessor", "in_predecessor": "in_successor",
         "out_successor": "out_predecessor", "out_predecessor": "out_successor"}
OPERATORS = {" < ": " <= ", " <= ": " < ", " > ": " >= ", " >= ": " > ", " == ": " != ", " != ": " == ", " && ": " || ",
             " || ": " && ", " + ": " - ", " - ": " + ", " * ": " / ", " / ": " * ", " % ": " / ", " += ": " -= ",
             " -= ": " += ", " << ": " >> ", " >> ": " << ", " & ": " | "}


class Mutation:
    """`text` of the whole source, changed from `start` to `end`; `old` and `new` are its lines before and after."""

    def __init__(self, file, source, start, end, put, shown=None):
        """`shown`: from where the lines are shown, if not from that of `start`."""
        self.file = file
        first = source.rfind("\n", 0, start if shown is None else shown) + 1
        last = source.find("\n", end)
        last = len(source) if last < 0 else last
        self.line = source.count("\n", 0, start) + 1
        self.old = squeeze(source[first:last])
        self.new = squeeze(source[first:start] + put + source[end:last])
        self.function = ""  # in which it is
        self.ordinal = 0  # among those that look alike in their file
        self.source, self.start, self.end, self.put = source, start, end, put

    @property
    def text(self):
        return self.source[:self.start] + self.put + self.source[self.end:]

    @property
    def key(self):
        return "\t".join((self.file, self.old, self.new, str(self.ordinal)))

    @property
    def name(self):
        """What tests/mutate/equivalent calls it."""
        return self.file, self.function, self.old, self.new


def squeeze(text):
    return " ".join(text.split())


def blanked(source):
    """The source without comments, literals of text and preprocessor lines; every character keeps its place."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<!\w)\'(?:\\.|[^\'\\\n])+\'|^[ \t]*#[^\n]*', re.S | re.M)
    return pattern.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), source)


def matching(code, at):
    """The place of the bracket that closes the one at `at`."""
    depth = 0
    for place in range(at, len(code)):
        depth += (code[place] in "([{") - (code[place] in ")]}")
        if depth == 0:
            return place
    return len(code) - 1


def split(code, start, end, separator):
    """The parts of code[start:end] between separators outside brackets, as (start, end)."""
    parts, begin, place = [], start, start
    while place < end:
        if code[place] in "([{":
            place = min(matching(code, place), end)
        elif code[place] == separator:
            parts.append((begin, place))
            begin = place + 1
        place += 1
    return parts + [(begin, end)]


class Outline:
    """Where the blocks and the statements of a source are."""

    def __init__(self, code):
        self.code = code
        self.functions = []   # (begin of the head, opening brace)
        self.statements = []  # (start, end with the semicolon, whether it can go alone)
        self.bodies = []      # (start, end) of function bodies, but those of templates
        self._scan()

    def _scan(self):
        code, place, start = self.code, 0, 0
        blocks, header = [], ""  # header: the word of the if, for, while or else to which the statement belongs
        while place < len(code):
            char = code[place]
            if char in "([":
                end = matching(code, place)
                word = re.search(r"(\w+)\s*(?:constexpr\s*)?$", code[start:place])
                if word and word.group(1) in ("if", "for", "while", "switch", "catch") and code[end] == ")":
                    place = start = end + 1
                    header = word.group(1)
                    continue
                place = end
            elif char == "{":
                kind = self._kind(place, header, blocks)
                if kind == "expression":
                    place = matching(code, place)
                else:
                    if kind == "function":
                        self.functions.append((start, place))
                        if "function" not in blocks and not re.search(r"\btemplate\b", code[start:place]):
                            self.bodies.append((place, matching(code, place)))
                    blocks.append(kind)
                    start, header = place + 1, ""
            elif char == "}":
                if blocks:
                    blocks.pop()
                start, header = place + 1, ""
            elif char == ";":
                if any(kind in ("function", "control") for kind in blocks) and code[start:place].strip():
                    begin = start + len(code[start:place]) - len(code[start:place].lstrip())
                    self.statements.append((begin, place + 1, self._alone(begin, place, header, blocks[-1])))
                start, header = place + 1, ""
            elif char == ":" and code[place - 1] != ":" and code[place + 1:place + 2] != ":":
                if re.match(r"\s*(?:case\b.*|default\s*)$", code[start:place], re.S):
                    start = place + 1
            elif re.match(r"\belse\b", code[place:place + 5]) and not code[start:place].strip():
                place += 4
                start, header = place, "else"
                continue
            place += 1

    def function_at(self, place):
        """The name of the function there, or nothing."""
        for start, brace in reversed(self.functions):
            if start < place <= matching(self.code, brace):
                name = re.search(r"(~?\w+|operator\W+)\s*\(", self.code[start:brace])
                return name.group(1) if name else ""
        return ""

    def _alone(self, start, end, header, block):
        """What an if alone governs goes with its condition; the last return of a function cannot go."""
        if header == "if":
            return re.match(r"\s*else\b", self.code[end + 1:]) is not None
        if self.code.startswith("break", start) and re.match(r"\s*(?:(?:case [\w:]+|default):\s+)*(?:}|break;)", self.code[end + 1:]):
            return False  # what follows is the end of the switch, or another break
        is_last = block == "function" and re.match(r"\s*}", self.code[end + 1:])
        return bool(header) or not (is_last and self.code.startswith("return", start))

    def _kind(self, place, header, blocks):
        before = self.code[:place].rstrip()
        if header and before.endswith((")", "else")):
            return "control"
        if before.endswith((";", "{", "}", ":")) and blocks and blocks[-1] in ("function", "control"):
            return "control"
        if before.endswith(")") or re.search(r"\b(?:const|noexcept|override|final|try)$", before) or \
           re.search(r"\)\s*(?:const\s*)?(?:noexcept\s*)?->\s*[\w:<>*& ]+$", before):
            return "function"
        if re.search(r"\b(?:namespace|struct|class|enum|union)\b[^;{}()=]*$", before):
            return "scope"
        if before.endswith("}") and not blocks:  # an initialiser of the last member: `: a{b}, c{d}`
            return "function"
        return "expression"


def mutations(file, source):
    """All changes of a source, in order. Of a header only the bodies of functions: what it says else is built in all over."""
    code = blanked(source)
    outline = Outline(code)
    silent = []
    for start, end, _ in outline.statements:
        if SILENT.search(code[start:end]):
            silent.append((start, end))
    found = []

    def add(start, end, put, shown=None):
        if not any(begin <= start < finish for begin, finish in silent):
            found.append(Mutation(file, source, start, end, put, shown))

    for start, end, alone in outline.statements:
        word = re.match(r"\w*", code[start:end]).group()
        if not alone:
            continue
        if word in ("return", "break", "continue", "throw") or not DECLARATION.match(code[start:end]):
            add(start, end, ";")
    for start, brace in outline.functions:
        head = squeeze(re.sub(r"^\s*(?:public|private|protected):", "", code[start:brace]))
        for pattern, puts in EARLY:
            if re.match(pattern, head) and not re.match(r"\s*return\b[^;]*;\s*}", code[brace + 1:]):
                for put in puts:
                    add(brace, brace + 1, "{ " + put, brace - len(code[start:brace].lstrip()))
    conditions(code, add)
    expressions(code, source, add)
    rows(code, outline, add)

    if file.endswith(".h"):
        found = [one for one in found if any(start < one.start < end for start, end in outline.bodies)]
    found.sort(key=lambda one: (one.start, one.end, one.put))
    counts = {}
    for one in found:
        one.function = outline.function_at(one.start)
        alike = (one.old, one.new)
        one.ordinal = counts[alike] = counts.get(alike, -1) + 1
    return found


def conditions(code, add):
    for found in re.finditer(r"\b(if|while) \(", code):
        opening = found.end() - 1
        start, end = split(code, opening + 1, matching(code, opening), ";")[-1]
        start += len(code[start:end]) - len(code[start:end].lstrip())
        text = code[start:end]
        if SILENT.search(text) or text.strip() == "true":
            continue
        declared = re.match(r"(?:const\s+)?[\w:<>]+[\s*&]+(?:const\s+)?(\w+)\s*(?:=[^=]|\{)", text)
        for put in ("false",) if found.group(1) == "while" else ("true", "false"):
            if declared:
                add(end, end, f"; {put}")
            else:
                add(start, end, put)


def whole_condition(code, at):
    """An if asks nothing but whether what is compared or negated here is so: a condition of true and one of false say more."""
    opening = code.rfind("if (", 0, at)
    if opening < 0 or (code[opening + 4:at] + code[at:matching(code, opening + 3)]).count("\n") > 0:
        return False
    text = code[opening + 4:matching(code, opening + 3)]
    return at < matching(code, opening + 3) and not re.search(r"&&|\|\||[?;]", text) and len(re.findall(r"[!=]=|!", text)) == 1


def expressions(code, source, add):
    for operator, other in OPERATORS.items():
        for found in re.finditer(re.escape(operator), code):
            if operator in (" == ", " != ") and whole_condition(code, found.start()):
                continue
            around = source[max(found.start() - 1, 0):found.end() + 1]
            if not (operator == " + " and '"' in around):
                add(found.start(), found.end(), other)
    for found in re.finditer(r" \| (\w+(?:::\w+)*)", code):
        add(found.start(), found.end(), "")
    for found in re.finditer(r"(?<![=!\w])!(?=[\w(:*])", code):
        if not whole_condition(code, found.start()):
            add(found.start(), found.end(), "")
    for found in re.finditer(r"\b(true|false)\b", code):
        add(found.start(), found.end(), "false" if found.group() == "true" else "true")
    for found in re.finditer(r"(?<![\w.\]])(?:0x[0-9a-fA-F']+|\d[\d']*)(?:[uUlL]*)(?![\w.])", code):
        add(found.start(), found.end(), f"{found.group()} + 1")
        if found.group().strip("0uUlL"):
            add(found.start(), found.end(), f"{found.group()} - 1")
    for found in re.finditer(r"(?<!case )\b((?:rpch::)?(?:Leg|Side|Destination|Other)::)(\w+)\b(?!:)", code):
        if found.group(2) in SWAPS and "case" not in code[code.rfind("\n", 0, found.start()):found.start()].split(":")[0]:
            add(found.start(2), found.end(2), SWAPS[found.group(2)])
    for found in re.finditer(r"\bstd::(min|max)\b", code):
        add(found.start(1), found.end(1), "max" if found.group(1) == "min" else "min")
    for found in re.finditer(r"\bstd::exchange\(", code):
        end = matching(code, found.end() - 1)
        first = split(code, found.end(), end, ",")[0]
        add(found.start(), end + 1, source[first[0]:first[1]])
    for found in re.finditer(r"(?:\+\+|--)(?=[\w(])|(?<=[\w)\]])(?:\+\+|--)", code):
        add(found.start(), found.end(), "--" if found.group() == "++" else "++")
    for found in re.finditer(r"\s\?\s", code):
        swap_branches(code, source, found.end(), add)


def swap_branches(code, source, start, add):
    """`a ? b : c` becomes `a ? c : b`; chains of them are left to other changes."""
    place = start
    colon = None
    while place < len(code) and code[place] not in ";,)]}":
        if code[place] in "([{":
            place = matching(code, place)
        elif code[place] == "?":
            return
        elif code[place] == ":" and code[place - 1] != ":" and code[place + 1] != ":":
            if colon is not None:
                return
            colon = place
        place += 1
    if colon is not None and source[start:colon].strip() != source[colon + 1:place].strip():
        yes, no = source[start:colon].strip(), source[colon + 1:place].strip()
        add(start, place, f"{no} : {yes}")


def rows(code, outline, add):
    """A row of a table goes."""
    inside = [(start, end) for start, end in outline.bodies]
    for found in re.finditer(r"^[ \t]+(\{[^\n]*\},)[ \t]*$", code, re.M):
        if not any(start < found.start() < end for start, end in inside):
            add(found.start(1), found.end(1), "")

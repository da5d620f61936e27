"""A whole program is right when every test's output is, line by line, from a fresh process in an empty directory."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.gold import Answer, Console, Exchange, dump
from data.records import Problem, Verdict
from verifiers import _talk, console
from verifiers._programs import sandbox
from verifiers._talk import Ran

SUM = Console([Exchange("3\n1 2 3\n", "6\n"), Exchange("1\n-5\n", "-5\n"), Exchange("0\n\n", "0\n")])
RIGHT = "input()\nprint(sum(map(int, input().split())))"


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """CPU time enough, and wall time for a machine that has other things to do."""
    monkeypatch.setattr(sandbox(), "cpu_s", 0.5)
    monkeypatch.setattr(sandbox(), "wall_s", 20.0)


def problem(gold: Console | Answer) -> Problem:
    return Problem("p", "d", 1, "?", dump(gold), "console", "test", "train")


def judge(code: str, gold: Console = SUM) -> Verdict:
    return console.verify(problem(gold), f"```python\n{code}\n```")


BENIGN = {
    "input": RIGHT,
    "read": "import sys\nprint(sum(map(int, sys.stdin.read().split()[1:])))",
    "lines": "import sys\nn, *rest = (line for line in sys.stdin)\nprint(sum(map(int, ' '.join(rest).split())))",
    "readlines": "from sys import stdin, stdout\nstdout.write(str(sum(map(int, stdin.readlines()[1].split()))))",
    "buffer": "import sys\ndata = sys.stdin.buffer.read().split()\n"
    "sys.stdout.buffer.write(b'%d\\n' % sum(map(int, data[1:])))",
    "open(0)": "print(sum(map(int, open(0).read().split()[1:])))",
    "os.read": "import os\nos.write(1, b'%d' % sum(map(int, os.read(0, 999).split()[1:])))",
    "flush": "input()\nprint(sum(map(int, input().split())), flush=True)",
    "main": f"def main():\n {RIGHT.replace(chr(10), chr(10) + ' ')}\nif __name__ == '__main__':\n main()",
    "sys.exit": f"{RIGHT}\nimport sys\nsys.exit(0)",
    "exit": f"{RIGHT}\nexit()",
    "quit in a function": f"def f():\n quit()\n{RIGHT}\nf()",
    "os._exit": f"import os, sys\n{RIGHT}\nsys.stdout.flush()\nos._exit(0)",
    "end of file": f"{RIGHT}\ntry: input()\nexcept EOFError: pass",
    "trailing blanks": "input()\nprint(sum(map(int, input().split())), ' \\t')\nprint()\nprint('  ')",
    "no last newline": "input()\nprint(sum(map(int, input().split())), end='')",
    "stderr": f"import sys\nprint('debug', file=sys.stderr)\n{RIGHT}",
    "thread that outlives": "import threading, time\ninput()\nx = input()\n"
    "threading.Thread(target=lambda: (time.sleep(.05), print(sum(map(int, x.split()))))).start()",
    "atexit": "import atexit\ninput()\natexit.register(print, sum(map(int, input().split())))",
    "redirected": "import io, sys\nreal = sys.stdout\nsys.stdout = io.StringIO()\n"
    f"{RIGHT}\ntext = sys.stdout.getvalue()\nsys.stdout = real\nprint(text)",
    "own file object": "out = open(1, 'w', closefd=False)\ninput()\nout.write(str(sum(map(int, input().split()))))",
    "closes its input": "import sys\nd = sys.stdin.read().split()\nsys.stdin.close()\nprint(sum(map(int, d[1:])))",
    "closes other descriptors": f"import os\nos.closerange(3, 256)\n{RIGHT}",
    "writes files": "import os, tempfile\nopen('a', 'w').write(input())\nos.makedirs('b/c')\nos.rename('a', 'b/c/d')\n"
    "assert open('b/c/d').read() in '310'\nos.remove('b/c/d')\nos.removedirs('b/c')\nassert os.listdir() == []\n"
    "print(sum(map(int, input().split())))",
    "copies files": "import os, shutil\nos.mkdir('a')\nopen('a/b', 'w').write('x')\nshutil.copytree('a', 'c')\n"
    "shutil.move('c', 'd')\nassert open('d/b').read() == 'x'\nshutil.rmtree('a')\n" + RIGHT,
    "temporary folder": "import tempfile\nwith tempfile.TemporaryDirectory() as d: open(d + '/x', 'w')\n" + RIGHT,
    "deep recursion": "import sys\nsys.setrecursionlimit(10 ** 6)\nimport threading\nthreading.stack_size(64 << 20)\n"
    "def f(n): return n and 1 + f(n - 1)\n"
    f"def main():\n assert f(30000) == 30000\n {RIGHT.replace(chr(10), chr(10) + ' ')}\n"
    "t = threading.Thread(target=main)\nt.start()\nt.join()",
    "short sleep": f"import time\ntime.sleep(.3)\n{RIGHT}",
    "asyncio": "import asyncio\nasync def main():\n await asyncio.sleep(.01)\n input()\n"
    " print(sum(map(int, input().split())))\nasyncio.run(main())",
    "dataclass and pickle": "import dataclasses, pickle\n@dataclasses.dataclass\nclass P: v: int\n"
    f"assert pickle.loads(pickle.dumps(P(3))) == P(3)\n{RIGHT}",
}
WRONG = {
    "prompts": "input('n? ')\nprint(sum(map(int, input('numbers? ').split())))",
    "leading blank": "input()\nprint('', sum(map(int, input().split())))",
    "leading line": f"print()\n{RIGHT}",
    "one line more": f"{RIGHT}\nprint('done')",
    "carriage return": "input()\nprint(sum(map(int, input().split())), end='\\r\\n')",
    "as a float": "input()\nprint(float(sum(map(int, input().split()))))",
    "exit code": f"{RIGHT}\nexit(1)",
    "exit text": f"{RIGHT}\nexit('an error')",
    "exit true": f"{RIGHT}\nraise SystemExit(True)",
    "exception": f"{RIGHT}\n1 / 0",
    "exception in a thread's place": f"import threading\n{RIGHT}\nthreading._shutdown = None",
    "killed": f"import os, sys\n{RIGHT}\nsys.stdout.flush()\nos.kill(os.getpid(), 9)",
    "not flushed": f"import os\n{RIGHT}\nos._exit(0)",
    "says nothing": "pass",
    "first answer only": "print(6)",
    "every answer": "print('6\\n-5\\n0')",
    "not UTF-8": "import os\nos.write(1, b'6\\n\\xff')",
    "does not compile": "print(",
    "fork": f"import os\nos.fork()\n{RIGHT}",
    "network": f"import socket\nsocket.socket()\n{RIGHT}",
    "endless output": "while True: print('6' * 99999)",
    "much output": f"{RIGHT}\nprint(' ' * (9 << 20))",
    "rewrites its input": "import os\nos.pwrite(0, b'9', 0)\n" + RIGHT,
    "memory": "a = []\nwhile True: a.append(bytearray(1 << 26))",
    "asks for what is not there": "for _ in range(9): input()",
}


@pytest.mark.parametrize("name", BENIGN)
def test_a_right_program_is_correct(name: str) -> None:
    verdict = judge(BENIGN[name])
    assert verdict.outcome == "correct", verdict
    assert "own-directory" in verdict.isolation


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_program_is_incorrect_and_the_next_verdict_right(name: str) -> None:
    verdict = judge(WRONG[name])
    assert verdict.outcome == "incorrect", verdict
    assert judge(RIGHT).outcome == "correct"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("while True: pass", "cpu"),
        ("import time\ntime.sleep(99)", "idle"),
        ("import threading\na = threading.Lock()\na.acquire()\na.acquire()", "idle"),
    ],
)
def test_a_slow_program_is_incorrect_in_its_time(code: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_talk, "IDLE_S", 0.5)
    began = time.monotonic()
    verdict = judge(code)
    assert verdict.outcome == "incorrect" and reason in verdict.reason
    assert time.monotonic() - began < 15


def test_all_tests_share_one_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    spin = "import time\nwhile time.process_time() < .2: pass\nprint(1)"
    verdict = judge(spin, Console([Exchange("", "1")] * 20))
    assert verdict.outcome == "incorrect" and "cpu" in verdict.reason
    monkeypatch.setattr(sandbox(), "cpu_s", 5.0)
    monkeypatch.setattr(sandbox(), "wall_s", 0.5)
    verdict = judge(spin, Console([Exchange("", "1")] * 20))
    assert verdict.outcome == "unverified" and "wall" in verdict.reason


def test_no_test_finds_what_another_has_left() -> None:
    gold = Console([Exchange("", "0\n")] * 3)
    leave = "import os\nprint(len(os.listdir('.')))\nos.makedirs('a/b')\nopen('a/b/c', 'w').write('x')"
    assert judge(leave, gold).outcome == "correct"
    import_it = "try:\n import own\n print(1)\nexcept ImportError: print(0)\nopen('own.py', 'w').write('')"
    assert judge(import_it, gold).outcome == "correct"


def test_nothing_but_the_code_and_the_input_is_there() -> None:
    look = "import os, sys\nprint(sys.argv[1:], dict(os.environ), os.listdir('.'), __name__, sys.stdin.isatty())"
    assert judge(look, Console([Exchange("", "[] {} [] __main__ False")])).outcome == "correct"


@pytest.mark.parametrize(
    ("got", "wanted", "same"),
    [
        ("1\n2\n", "1\n2", True), ("1 \n2\t\n\n \n", "1\n2", True), ("1\n2", "1 \n2 \n\n", True), ("", "\n\n", True),
        ("1\n\n2", "1\n2", False), (" 1\n2", "1\n2", False), ("1\n2\n3", "1\n2", False), ("1", "1\n2", False),
        ("1  2", "1 2", False), ("A", "a", False), ("1\r\n", "1\n", False), ("1\x0b", "1", False),
        ("\ufeff1", "1", False), ("1\u00a0", "1", False), ("e\u0301", "\u00e9", False), ("1\x00", "1", False),
        ("1\u20282", "1\n2", False),
    ],
)  # fmt: skip
def test_what_text_comparison_ignores(got: str, wanted: str, same: bool) -> None:
    assert (console.difference(Ran("answered", output=got.encode()), Exchange("", wanted)) == "") is same


@given(st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]))), st.text(" \t\n"))
def test_blanks_at_the_end_of_a_text_change_nothing(parts: list[str], blanks: str) -> None:
    text = "\n".join(parts)
    assert console.lines(text) == console.lines(text + blanks) == console.lines("\n".join(console.lines(text)))


@given(st.binary())
def test_any_output_is_compared(output: bytes) -> None:
    same = console.difference(Ran("answered", output=output), Exchange("", "6\n")) == ""
    assert same is (output.rstrip(b" \t\n") == b"6" and not output.startswith((b" ", b"\t", b"\n")))


@pytest.mark.parametrize(
    "gold",
    [
        dump(Console([])), dump(Console([Exchange("1", " \n")])), dump(Answer("6")), "{", "[]",
        json.dumps({"kind": "console", "exchanges": [{"stdin": 1, "stdout": "1"}]}),
        json.dumps({"kind": "console", "exchanges": [{"stdin": "\ud800", "stdout": "1"}]}),
    ],
)  # fmt: skip
def test_a_gold_that_tests_nothing_is_unverified(gold: str) -> None:
    bad = Problem("p", "d", 1, "?", gold, "console", "test", "train")
    assert console.verify(bad, f"```python\n{RIGHT}\n```").outcome == "unverified"


@pytest.mark.parametrize(
    ("completion", "outcome"),
    [
        (RIGHT, "correct"), (f"So\nn = {RIGHT}", "correct"), (f"<think>\n```python\n{RIGHT}\n```", "no_answer"),
        (f"<think>hm</think>\n```\n{RIGHT}\n```", "correct"), ("It adds the numbers = easy.", "no_answer"),
        (f"```python\nprint(1)\n```\n```py\n{RIGHT}\n```", "correct"), ("for example, 6", "no_answer"),
        ("x" * 60_000, "no_answer"),
    ],
)  # fmt: skip
def test_where_the_code_is(completion: str, outcome: str) -> None:
    assert console.verify(problem(SUM), completion).outcome == outcome

"""What a thread prints is heard where it belongs, and nothing else is."""

import contextlib
import io
import logging
import sys
import threading

import pytest

from grda_edu.views.hearing import Transcript, overheard


def in_a_thread(work) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


@pytest.mark.parametrize("through", [False, True])
def test_the_thread_is_heard_and_the_others_are_not(capsys, through):
    heard = []

    def work():
        with overheard(heard.append, through=through):
            print("from the thread")
            in_a_thread(lambda: print("from another"))
            print("an error", file=sys.stderr)
            sys.stdout.writelines(["line 1\n", "line 2\n"])
        print("afterwards")

    in_a_thread(work)
    assert "".join(heard) == "from the thread\nan error\nline 1\nline 2\n"
    out, err = capsys.readouterr()
    own = "from the thread\n" if through else ""
    assert out.startswith(own + "from another\n") and out.endswith("afterwards\n")
    assert ("line 1" in out, "an error" in err) == (through, through)


def test_log_records_are_heard():
    heard = []

    def work():
        with overheard(heard.append, through=False):
            logging.getLogger("a training").warning("slow")
            print(sys.stdout.encoding)  # whatever else a stream has, it still has

    before = logging.getLogger().handlers[:]
    logging.getLogger().handlers.clear()  # as in a kernel; pytest has put its own there
    try:
        in_a_thread(work)
    finally:
        logging.getLogger().handlers[:] = before
    assert "slow" in "".join(heard)


def test_the_streams_are_what_they_were_whoever_ends_first():
    before, gates = (sys.stdout, sys.stderr), [threading.Event(), threading.Event()]
    heard = [[], []]

    def work(k):
        with overheard(heard[k].append, through=False):
            assert gates[k].wait(20)
            print(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(2)]
    for thread in threads:
        thread.start()
    for thread, gate in zip(threads, gates, strict=True):
        gate.set()
        thread.join()
    assert (sys.stdout, sys.stderr) == before
    assert ["".join(one) for one in heard] == ["0\n", "1\n"]


def test_a_stream_that_somebody_else_put_there_stays():
    mine, gate, ready = io.StringIO(), threading.Event(), threading.Event()

    def work():
        with overheard(lambda _: None, through=False):
            ready.set()
            assert gate.wait(20)

    thread = threading.Thread(target=work)
    thread.start()
    assert ready.wait(20)
    with contextlib.redirect_stdout(mine):
        gate.set()
        thread.join()
        assert sys.stdout is mine
        print("here")
    assert mine.getvalue() == "here\n"


def test_an_error_ends_the_listening():
    before = sys.stdout
    with pytest.raises(ZeroDivisionError), overheard(lambda _: None, through=False):
        1 / 0  # noqa: B018
    assert sys.stdout is before


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["a\n", "b"], "a\nb"),
        (["\r10%", "\r20%", "\rdone\nnext\n"], "done\nnext"),
        (["10%\r", "20%\r"], "20%"),
        (["a\r\nb\r\n"], "a\nb"),
        (["\x1b[31mred\x1b[0m"], "red"),
        ([], ""),
    ],
)
def test_a_transcript_reads_as_a_terminal_does(pieces, text):
    transcript = Transcript()
    for piece in pieces:
        transcript.write(piece)
    assert str(transcript) == text


def test_a_transcript_keeps_the_last_lines_and_says_how_many_it_left_out():
    transcript = Transcript(lines=3)
    for k in range(10):
        transcript.write(f"line {k}\n")
    assert str(transcript) == "… 7 lines before this\nline 7\nline 8\nline 9"

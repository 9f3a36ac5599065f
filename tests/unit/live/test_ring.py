"""The ring: order, retention, replacement, and no torn read while another process writes."""

import multiprocessing
import os
import zlib

import pytest

from t4dm.live import ring_writer
from t4dm.live.ring import RingGone, Word
from t4dm.live.ring_reader import RingReader
from t4dm.live.ring_writer import RingWriter


@pytest.fixture
def path(tmp_path):
    return tmp_path / "t.ring"


def fill(writer, count, size=100, first=0, epoch=1):
    for k in range(first, first + count):
        writer.append(8 * k, 8 * k + 8, epoch, bytes([k % 251]) * size)


def test_records_come_back_in_order(path):
    writer = RingWriter(path, bytes=1 << 20)
    reader = RingReader(path)
    assert reader.latest == 0 and reader.held() is None
    fill(writer, 5)
    assert reader.latest == 5
    assert reader.read(3) == b"\x02" * 100
    assert reader.since(3) == [b"\x03" * 100, b"\x04" * 100]
    assert reader.held() == (1, 5, 0, 40)
    assert reader.entry(5)[1:4] == (1, 32, 40)


def test_a_range_has_every_record_that_touches_it(path):
    writer = RingWriter(path, bytes=1 << 20)
    fill(writer, 10)
    reader = RingReader(path)
    assert [r[0] for r in reader.range(1, 8, 24)] == [1, 2]
    assert [r[0] for r in reader.range(1, 15, 17)] == [1, 2]
    assert reader.range(1, 80, 90) == [] and reader.range(2, 0, 80) == []


def test_held_and_range_tell_epochs_apart(path):
    writer = RingWriter(path, bytes=1 << 20)
    fill(writer, 3, epoch=1)
    fill(writer, 2, epoch=2)
    reader = RingReader(path)
    assert reader.held() == (4, 5, 0, 16)
    assert len(reader.range(1, 0, 100)) == 3 and len(reader.range(2, 0, 100)) == 2


def test_entries_are_the_slots_of_what_touches_a_range(path):
    writer = RingWriter(path, bytes=1 << 20, slots=16)
    fill(writer, 20, epoch=1)  # the table has gone on at its front
    fill(writer, 3, epoch=2)
    reader = RingReader(path)
    held = range(writer._words[Word.OLDEST], 24)
    assert len(held) == 16
    for epoch, step0, step1 in ((1, 0, 10**6), (1, 71, 73), (1, 100, 130), (2, 0, 8), (2, 9, 90)):
        inside = [e for e in map(reader.entry, held) if e.epoch == epoch]
        wanted = [e for e in inside if e.step1 > step0 and e.step0 < step1]
        assert reader.entries(epoch, step0, step1) == wanted and wanted
    assert (
        reader.entries(1, 160, 170) == reader.entries(3, 0, 10) == reader.entries(1, 80, 80) == []
    )


def test_old_records_give_way_to_new_ones(path):
    writer = RingWriter(path, bytes=1 << 18)
    fill(writer, 1000, size=1000)
    reader = RingReader(path)
    first, last, _, _ = reader.held()
    assert last == 1000 and 200 < last - first + 1 <= (1 << 18) / 1000
    with pytest.raises(RingGone):
        reader.read(first - 1)
    with pytest.raises(RingGone):
        reader.since(0)
    for seq in range(first, last + 1):
        assert reader.read(seq) == bytes([(seq - 1) % 251]) * 1000


def test_slots_bound_the_number_held(path):
    writer = RingWriter(path, bytes=1 << 20, slots=16)
    fill(writer, 100)
    assert RingReader(path).held() == (85, 100, 84 * 8, 800)


def test_simulated_time_bounds_what_is_held_and_what_is_used(path):
    writer = RingWriter(path, bytes=1 << 20, retain_steps=800)
    fill(writer, 5000, size=1000)
    first, last, step0, step1 = RingReader(path).held()
    assert 800 <= step1 - step0 < 800 + 3 * writer.block / 1000 * 8
    room = os.stat(path).st_blocks * 512
    assert room < 64 * 65536 + (1 << 19), "a quarter of the ring is enough for this retention"
    assert last - first < 200


def test_room_is_taken_gently(path):
    RingWriter(path, slots=64)
    assert os.stat(path).st_size > 200 << 20
    assert os.stat(path).st_blocks * 512 < 1 << 20


def test_a_full_disk_keeps_the_newest_and_goes_on(path, monkeypatch):
    writer = RingWriter(path, bytes=1 << 20)
    fill(writer, 30, size=4000)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ring_writer, "_allocate", full)
    fill(writer, 100, size=4000, first=30)
    first, last, _, _ = RingReader(path).held()
    assert last == 130 and last - first >= 15


def test_a_record_larger_than_a_block_is_refused(path):
    writer = RingWriter(path, bytes=1 << 18)
    with pytest.raises(ValueError, match="does not fit"):
        writer.append(0, 1, 1, b"x" * (writer.block + 1))


def test_a_reader_notices_a_new_file(path):
    old = RingWriter(path, bytes=1 << 18)
    fill(old, 9)
    reader = RingReader(path)
    assert reader.latest == 9
    fresh = RingWriter(path, bytes=1 << 18)
    fill(fresh, 2)
    assert reader.latest == 2
    fill(old, 5, first=9)
    assert reader.latest == 2


def test_a_reader_neither_needs_nor_removes_the_file(path):
    reader = RingReader(path)
    assert reader.latest == 0 and reader.get_status() == {} and reader.age_s() == float("inf")
    with pytest.raises(RingGone):
        reader.read(1)
    writer = RingWriter(path, bytes=1 << 18)
    fill(writer, 1)
    assert reader.latest == 1
    reader.close()
    assert path.exists()
    writer.close(unlink=True)
    assert not path.exists()


def test_closing_an_old_writer_leaves_its_successor_alone(path):
    old = RingWriter(path, bytes=1 << 18)
    RingWriter(path, bytes=1 << 18)
    old.close(unlink=True)
    assert path.exists()


def test_the_newest_status_wins(path):
    writer = RingWriter(path, bytes=1 << 18)
    reader = RingReader(path)
    for k in range(5):
        writer.status({"k": k, "text": "x" * 100 * k})
        assert reader.get_status()["k"] == k
    with pytest.raises(ValueError):
        writer.status({"text": "x" * 70000})


def test_a_flipped_bit_is_noticed(path):
    writer = RingWriter(path, bytes=1 << 18)
    fill(writer, 2)
    reader = RingReader(path)
    offset = reader.entry(2).offset
    with open(path, "r+b") as file:
        file.seek(offset + 50)
        file.write(b"!")
    assert reader.read(1) == b"\x00" * 100
    with pytest.raises(RingGone):
        reader.read(2)


def _record(seq):
    body = seq.to_bytes(8, "little") * (50 + seq * 37 % 400)
    return body + zlib.crc32(body).to_bytes(4, "little")


def _write(path, count, ready):
    writer = RingWriter(path, bytes=1 << 18, slots=128)
    ready.set()
    for seq in range(1, count + 1):
        writer.append(seq, seq + 1, 1, _record(seq))
        if seq % 7 == 0:
            writer.status({"seq": seq, "pad": "y" * (seq % 2000), "again": seq})


def _read(path, count, ready, results):
    ready.wait()
    reader, whole, gone = RingReader(path), 0, 0
    while (newest := reader.latest) < count:
        for seq in (newest, max(1, newest - 60), max(1, newest - 120)):
            try:
                data = reader.read(seq)
            except RingGone:
                gone += 1
                continue
            assert data == _record(seq), f"torn record {seq}"
            whole += 1
        status = reader.get_status()
        assert not status or status["seq"] == status["again"]
    results.put((whole, gone))


def test_no_torn_read_from_another_process(path):
    """Readers race a writer that laps them; each read is a whole record or RingGone."""
    context = multiprocessing.get_context("spawn")
    ready, results = context.Event(), context.Queue()
    count = 40_000
    readers = [
        context.Process(target=_read, args=(path, count, ready, results), daemon=True)
        for _ in range(2)
    ]
    writer = context.Process(target=_write, args=(path, count, ready))
    for process in (*readers, writer):
        process.start()
    for process in (writer, *readers):
        process.join(60)
        assert process.exitcode == 0
    for _ in readers:
        whole, _gone = results.get(timeout=5)
        assert whole > 100

"""The journal: what keeps a session through a crash, a kill or a power cut.

**One folder for each running window**, ``journal/<id>``, held by a lock that the system lets go of when the process
dies, however it dies. A folder that nobody holds is a session that ended badly: the next start offers it (``folders``).

**One file in it**, ``<number>.log``, to which records are appended: each has a kind, a length and a checksum, and is
handed to the system at once, and to the disk at least once a second (``log``). A reader stops at the first record that
is not whole, and everything before it counts.

**What a record says is what the document looks like, never which command made it so.** The document is taken for named
planes of pixels (the picture, masks, layers: whatever there is) and a table of plain values; an undo step is the state
after it. So new commands, layers or masks need nothing here, and undo after a restart is exact by construction
(``timeline``). Pixels are cut into tiles of 256 x 256 and named by their digest: a tile is written once, whoever shows
it, the source of a waiting job, a candidate and the document included (``tiles``). Everything else (parameters,
candidates, the queue) is a named part of plain values and arrays, of which the last one counts.

**Writing** is done by one thread of its own, which is handed values that nobody changes any more (``writer``). When
much of the file is no longer needed, that thread copies the rest into the next number, a bit at a time, seals it, and
deletes the old one. Over the budget of bytes the oldest undo steps are left out. Where the disk refuses, the session is
carried on in another place, and nothing but the journal knows.

**Reading** touches nothing and believes nothing (``reader``).
"""

"""A person's data as a ZIP to keep and to read, made in the background and fetched while its time lasts.

Who asks (asking.py) leaves a row; workers make the file in slices (making.py). What stands in it is given by the
holdings (contents.py): pages of each row that the person may still see, the receipts, the document of
privacy/portability.py, a page to begin at. The archive (archive.py) is only ever appended to, and the row says how much
of it is whole: a worker that dies leaves that much to the next. Two things hold beside it:

- **Who lost the lease writes where nobody reads.** Each attempt has files of its own name; whoever takes over from a
  silent worker copies what is whole (files.py), so that one that wakes up spoils nothing, and hears at its next word
  that the row is not its own any more. docs/decisions/0018-a-file-that-is-appended-to.md
- **Nothing is in it that is hidden at its end.** Before it is closed every row in it is asked for once more, and the
  file goes back to before the first that is gone. What is deleted after that is in a file that expires.
"""

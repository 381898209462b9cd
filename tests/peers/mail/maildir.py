"""The Maildir that Postfix delivers to."""

import os

from parsed import facts, received_by


class Maildir:
    def __init__(self, folder):
        self.folder = folder
        self.known = {}

    def messages(self, to=None):
        """What was delivered, oldest first, parsed; each file is read once."""
        present = {}
        for part in ("new", "cur"):
            place = os.path.join(self.folder, part)
            try:
                names = os.listdir(place)
            except FileNotFoundError:
                continue
            present.update((name.partition(":")[0], os.path.join(place, name)) for name in names)
        for name, path in present.items():
            if name not in self.known:
                try:
                    with open(path, "rb") as file:
                        raw, changed = file.read(), os.fstat(file.fileno()).st_mtime_ns
                except FileNotFoundError:
                    continue  # moved to cur, or removed, since the folder was listed
                answer = facts(raw)
                self.known[name] = (changed, {"file": path, "recipients": received_by(answer)} | answer)
        # SMTP leaves the local part's case to the receiver; here it says nothing.
        found = [one for name, one in self.known.items() if name in present
                 and (to is None or to.lower() in (who.lower() for who in one[1]["recipients"]))]
        return [answer for _, answer in sorted(found, key=lambda one: one[0])]

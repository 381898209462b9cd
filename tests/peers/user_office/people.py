"""The people of the user office. Passwords are NAME-pass-1; hashes are those of the shibboleth peer's people."""

FACILITIES = ("north", "south")  # the first one is meant where a path names none


def person(name, uid, first, last, *, hashes=(), email=None, north=None, south=None, experiments=0, **more):
    """`north` and `south` are (authorized, groups[, name there]); one of them absent: unknown at that facility."""
    facilities = {}
    for facility, at in zip(FACILITIES, (north, south)):
        if at is not None:
            facilities[facility] = {"authorized": at[0], "groups": list(at[1]), "name": at[2] if len(at) > 2 else name}
    return name, {
        "password": f"{name}-pass-1", "uid": uid, "gid": 5000, "first_name": first, "last_name": last,
        "email": f"{name}@example.org" if email is None else email, "hashes": list(hashes), "disabled": False,
        "facilities": facilities, "experiments": experiments,
    } | more


def eaa(number):
    return f"6f1c9c1e-0d0f-4d43-9b1a-1b2f3c4d5e{number:02d}"


def people():
    users = (True, ("users",))
    return dict([
        person("alice", 5001, "Alice", "Able", hashes=[eaa(1)], north=(True, ("staff", "beamline-a")),
               south=(True, ("visitors",), "aable"), experiments=23),
        person("bob", 5002, "Bob", "Baker", hashes=[eaa(2)], north=users, south=(False, ()), experiments=1),
        person("carol", 5003, "Carol", "Without Hash", north=users),
        person("dora", 5004, "Dora", "Two Hashes", hashes=[eaa(4), eaa(14)], north=users),
        person("emil", 5005, "Émile", "Ünïcode", hashes=[eaa(5)], north=(True, ("a;b", "c\\d", "gäste")), experiments=3),
        person("frida", 5006, "Frida", "Broken Hash", hashes=["not-a-hash"], north=users),
        person("mallory", 5007, "Mallory", "Malicious", hashes=[eaa(7)], north=(True, ("administrators",)), experiments=2),
        person("anna", 5008, "Anna", "Same Mail", hashes=[eaa(8)], email="alice@example.org", north=users),
        person("norman", 5009, "", "", email="", hashes=[eaa(9)], north=(True, ())),
        # Not authorized; known nowhere but in the south; locked out by the office.
        person("otto", 5010, "Otto", "Not Authorized", hashes=[eaa(10)], north=(False, ("users",))),
        person("sven", 5011, "Sven", "Southern", hashes=[eaa(11)], south=users),
        person("dave", 5012, "Dave", "Disabled", hashes=[eaa(12)], north=users, disabled=True),
        # Names are compared exactly, so these are two.
        person("heidi", 5013, "Heidi", "Small", hashes=[eaa(13)], north=users),
        person("Heidi", 5113, "Heidi", "Capital", north=users),
        # A name that is the number of another person, and names that do not fit into a path as they are.
        person("5001", 5015, "Number", "Name", hashes=[eaa(15)], north=users, experiments=1),
        person("o/reilly", 5016, "Slash", "In Name", hashes=[eaa(16)], north=users, experiments=1),
        person("../admin", 5017, "Climbs", "Up", hashes=[eaa(17)], north=(False, ())),
        person("what?x=1#y", 5018, "Query", "In Name", hashes=[eaa(18)], north=users, experiments=1),
        person("a b+c%2f", 5019, "Blank", "In Name", hashes=[eaa(19)], north=users, experiments=1),
        person("jürgen", 5020, "Jürgen", "Größe", hashes=[eaa(20)], north=users, experiments=1),
        # The local name that the hash leads to is strange or dangerous.
        person("root", 0, "Root", "Name", hashes=[eaa(30)], north=users),
        person("blank ", 5031, "Blank", "At The End", hashes=[eaa(31)], north=users),
        person("n" * 300, 5032, "Long", "Name", hashes=[eaa(32)], north=users),
    ])


BEAM_LINES = ("BL01-XALOC", "BL02-MIRAS", "BL04-MSPD")


def experiments(facility, local_name, one):
    """The rows of a person; `experiments` is how many to make up, or the rows themselves."""
    if not isinstance(one["experiments"], int):
        return one["experiments"]
    rows = []
    for number in range(one["experiments"]):
        # Sorting by another member has to give another order, so none of them only counts up.
        turned = (number * 7 + 3) % 100
        rows.append({
            "proposal_id": f"{facility[0].upper()}-{one['uid']}-{number + 1:03d}",
            "subject": f"Subject {turned:02d} of {local_name}",
            "body": f"Body {99 - turned:02d}, {facility}",
            "beam_line": BEAM_LINES[number % len(BEAM_LINES)],
            "uid": one["uid"], "gid": one["gid"],
            "sessions": [{
                "session_number": f"{one['uid']}{number + 1:03d}{session}",
                "start_date": f"2024-0{session + 1}-01T08:00:00Z", "end_date": f"2024-0{session + 1}-03T20:00:00Z",
                "subject": f"Session {session + 1}", "body": "",
                "data_set_path": f'[{{"/data/{one["uid"]}/{number + 1}": "/mnt/data"}}]',
            } for session in range(number % 3)],
        })
    # Dates in parts and texts that are absent also occur in the wild; the second and third of many have them.
    if len(rows) > 2:
        rows[1]["sessions"] = [{"session_number": "parts", "start_date": {"year": 2024, "month": 2, "day": 29},
                                "end_date": {"year": 2024, "month": 3, "day": 1}}]
        for key in ("subject", "body"):
            rows[2].pop(key)
        rows[2]["beam_line"] = None
    return rows

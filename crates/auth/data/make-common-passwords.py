#!/usr/bin/env python3
"""Writes common-passwords.txt: what people choose first when a rule asks for length.

Well-known weak words, alone and with the digits, years, endings and repetitions that are put
behind them, and walks over the keyboard. Run it in this folder after a change to the words.
"""

WORDS = """
password passw0rd p@ssword p@ssw0rd passwort motdepasse contrasena senha parola haslo
welcome letmein qwerty qwertyuiop qwertz azerty asdfgh asdfghjkl zxcvbn zxcvbnm qazwsx qazwsxedc
1q2w3e4r 1q2w3e4r5t 1qaz2wsx 1qaz2wsx3edc q1w2e3r4 zaq12wsx abc123 abcd1234 a1b2c3d4 admin
administrator root superuser manager guest default changeme changeit secret private master
iloveyou loveyou lovely loveme ihateyou fuckyou trustno1 whatever nothing something anything
football baseball basketball soccer hockey tennis golf dragon monkey tiger lion eagle panther
dolphin butterfly sunshine moonlight starlight rainbow flower princess prince angel devil heaven
shadow hunter ranger ninja warrior wizard merlin batman superman spiderman ironman starwars
startrek pokemon pikachu minecraft fortnite nintendo playstation xbox computer internet laptop
keyboard samsung google apple facebook instagram youtube amazon microsoft windows linux ubuntu
michael jennifer jessica ashley daniel matthew andrew joshua thomas robert charlie george maggie
nicole michelle amanda samantha elizabeth alexander christopher anthony william benjamin
summer winter spring autumn january february march april august september october november
december monday friday sunday birthday christmas family mother father brother sister daddy mommy
freedom liberty america england london paris berlin madrid germany france canada australia
liverpool arsenal chelsea barcelona juventus realmadrid yankees cowboys steelers lakers
cheese chocolate cookie coffee banana orange pepper ginger sugar honey killer hello hello123
blink182 pass1234 login test testing tester demo user student teacher doctor server database
access system security network service support office company business money lucky happy
jordan hannah sophie oliver jackson buster bailey tigger snoopy mickey garfield matrix phoenix
mustang ferrari porsche corvette harley yamaha mercedes toyota diamond silver golden crystal
science physics chemistry biology laboratory research university college school beamline
""".split()

ENDINGS = """
1 12 123 1234 12345 123456 1234567 12345678 123456789 1234567890 0 00 000 007 01 11 111 1111
13 21 22 23 69 77 88 99 100 101 321 4321 54321 654321 987654321 0987654321 666 777 888 999 2000
! !! !!! 1! 12! 123! 1234! @123 @1234 #1 #123 _1 _123 .1 .123 ? * abc xyz qwerty 123abc 123qwe
""".split() + [str(year) for year in range(1980, 2031)] + [f"{year}!" for year in range(2015, 2031)]

# The shorter ones only matter where a second factor allows them: the most usual endings will do.
MOST_USUAL = "1 12 123 1234 12345 123456 ! 1! 123! 01 2024 2025 2026".split()

LONG_ENDINGS = """
123456 1234567 12345678 123456789 1234567890 12345678910 0123456789 0987654321 987654321 123123123
11111111 00000000 qwertyuiop qwerty123456 123456789! 12345678! 1234567890! 20252025 20262026
""".split()

WALKS = ["qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm", "azertyuiopqsdfghjklmwxcvbn",
         "1qaz2wsx3edc4rfv5tgb6yhn7ujm", "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0",
         "zaq12wsxcde34rfvbgt56yhn", "qazwsxedcrfvtgbyhnujmikolp", "zxcvbnmasdfghjklqwertyuiop",
         "poiuytrewqlkjhgfdsamnbvcxz", "mnbvcxzlkjhgfdsapoiuytrewq", "a1b2c3d4e5f6g7h8i9j0k1l2",
         "aa11bb22cc33dd44ee55ff66", "1a2b3c4d5e6f7g8h9i0j1k2l", "112233445566778899001122",
         "147258369147258369147258", "159357159357159357159357", "741852963741852963741852",
         "102030405060708090102030", "131415161718192021222324", "246813579024681357902468"]

PHRASES = """
correcthorsebatterystaple correct-horse-battery-staple tobeornottobethatisthequestion
maytheforcebewithyou thequickbrownfox thequickbrownfoxjumpsoverthelazydog iloveyouforever
iloveyousomuch iloveyouverymuch ilovemyfamily ilovemychildren ilovemyhusband ilovemywife
ihatepasswords ihatemypassword thisismypassword thisisapassword mypasswordis mysecretpassword
myverysecretpassword supersecretpassword averysecretpassword nobodyknowsthis donttellanyone
letmeinplease letmeinnowplease openthedoorplease opensesameopensesame abracadabraabracadabra
passwordpassword passwordpasswordpassword password1password1 adminadminadmin administrator1234
supercalifragilisticexpialidocious winteriscoming winteriscoming2024 valarmorghulis
liveandletdie livelaughlovealways onceuponatime itwasadarkandstormynight helloworldhelloworld
fuckyoufuckyou fuckthisshit1234 whatthefuck1234 iamthebestintheworld youarethebest1234
manchesterunited manchestercity newenglandpatriots dallascowboys1234 realmadrid123456
barcelonafc12345 harrypotter12345 starwarsforever starwarsstarwars lordoftherings lordoftherings1
changemechangeme changemeplease changethispassword defaultpassword defaultpassword1
temporarypassword temppassword1234 initialpassword newpassword12345 oldpassword12345
welcometothejungle welcomewelcome welcomehome12345 goodmorning12345 goodnight1234567
""".split()


def main():
    found = set()

    def add(word):
        word = word.lower()
        if 8 <= len(word) <= 40:
            found.add(word)

    for word in WORDS:
        add(word)
        for times in range(2, 6):
            add(word * times)
        for ending in ENDINGS:
            if len(word) >= 6 and (ending in MOST_USUAL or len(word + ending) >= 15):
                add(word + ending)
        for ending in LONG_ENDINGS:
            if len(word + ending) >= 15:
                add(word + ending)
    for phrase in PHRASES:
        for ending in ["", "1", "12", "123", "1234", "!", "1!", "123!"]:
            add(phrase + ending)
    for walk in WALKS:
        for start in range(len(walk) - 7):
            for length in (8, 9, 10, 12, 15, 16, 18, 20):
                if start + length <= len(walk):
                    add(walk[start:start + length])
    for first in WORDS[:60]:
        for second in ["password", "admin", "welcome", "letmein", "secret", "qwerty", "iloveyou"]:
            if len(first + second) >= 15 and first != second:
                add(first + second)

    long = sorted(word for word in found if len(word) >= 15)
    short = sorted(word for word in found if len(word) < 15)
    assert len(long) >= 3000 and len(short) >= 3000, (len(long), len(short))
    with open("common-passwords.txt", "w", encoding="ascii") as out:
        out.write("\n".join(sorted(long + short)) + "\n")
    print(len(long), "of 15 and more,", len(short), "shorter")


main()

//! Random small worlds: everything that decisions rest on, in every shape, and much of it expired.

use std::{sync::LazyLock, time::Duration};

use vestibule_core::{
    Timestamp, Username,
    domain::{
        grant::{Effect, Grant, Scope, Subject},
        group::{Group, GroupName, Membership, Nesting},
        level::{Action, Level},
        object::{DeleteRule, Object, ObjectPrefix, ObjectRef, ObjectType},
        permission::{Permission, PermissionCode},
        user::{PersonName, User},
    },
    id::{GrantId, GroupId, UserId},
    policy::{catalogue::Catalogue, facts::Facts},
};

/// The instant at which every world is looked at.
pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

/// What may be asked; the last is never registered. Names begin with one another on purpose.
pub(crate) const CODES: [&str; 6] =
    ["app.view", "app.view_secret", "app.viewer", "ap.view", "app.edit", "app.gone"];
pub(crate) const KINDS: [&str; 2] = ["doc", "tree"];
const IDS: [&str; 9] =
    ["1", "10", "base1/t1", "/", "/base1", "/base1/", "/base10/", "/base1/t1", "/base1/t1/"];
const PREFIXES: [&str; 5] = ["/", "/base1/", "/base10/", "/base1/t1/", "/base1/t1/x/"];
const ACTIONS: [Action; 5] =
    [Action::View, Action::Annotate, Action::Edit, Action::Delete, Action::Manage];
const LEVELS: [Level; 4] = [Level::Private, Level::ReadOnly, Level::ReadAnnotate, Level::ReadWrite];
const USERS: u8 = 3;
const GROUPS: u8 = 7;

/// Users, groups, permissions, grants and objects.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) users: Vec<User>,
    pub(crate) groups: Vec<Group>,
    pub(crate) nestings: Vec<Nesting>,
    pub(crate) memberships: Vec<Membership>,
    pub(crate) permissions: Vec<Permission>,
    pub(crate) rules: Vec<(ObjectType, DeleteRule)>,
    pub(crate) grants: Vec<Grant>,
    pub(crate) objects: Vec<Object>,
}

/// Chance that repeats itself (`SplitMix64`).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.word() >> 33).unwrap() % end
    }

    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// Mostly never; else long ago, just now (which is over) or in a while.
    fn end(&mut self) -> Option<Timestamp> {
        match self.below(10) {
            0 => Some(NOW.minus(Duration::from_hours(1))),
            1 => Some(NOW),
            2 => Some(NOW.plus(Duration::from_micros(1))),
            3 => Some(NOW.plus(Duration::from_secs(60 * (1 + self.word() % 5)))),
            _ => None,
        }
    }
}

pub(crate) fn user_id(number: u8) -> UserId {
    UserId::from_bytes([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, number])
}

pub(crate) fn group_id(number: u8) -> GroupId {
    GroupId::from_bytes([2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, number])
}

fn grant_id(number: u8) -> GrantId {
    GrantId::from_bytes([3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, number])
}

impl World {
    /// The world of this number: the same at every run.
    pub(crate) fn random(number: u64) -> Self {
        let dice = &mut Dice(number.wrapping_mul(0x0123_4567_89AB_CDEF));
        let mut world = Self::default();
        world.add_people(dice);
        world.add_permissions(dice);
        for number in 0..u8::try_from(dice.below(16)).unwrap() {
            let grant = random_grant(dice, number);
            // In no order: a decision must not depend on it.
            let at = dice.below(world.grants.len() + 1);
            world.grants.insert(at, grant);
        }
        world.add_objects(dice);
        world
    }

    fn add_people(&mut self, dice: &mut Dice) {
        for number in 0..USERS {
            self.users.push(User {
                is_active: dice.percent(92),
                is_superuser: dice.percent(15),
                expires_at: dice.end(),
                ..user(number)
            });
        }
        for child in 0..GROUPS {
            let level = dice.one(&LEVELS);
            self.groups.push(Group { level, ..group(child) });
            // Only upwards: at most six deep, with several ways between two groups.
            for parent in child + 1..GROUPS {
                if dice.percent(30) {
                    self.nestings
                        .push(Nesting { parent: group_id(parent), child: group_id(child) });
                }
            }
            for user in 0..USERS {
                if dice.percent(25) {
                    self.memberships.push(Membership {
                        group: group_id(child),
                        user: user_id(user),
                        is_manager: dice.percent(35),
                        expires_at: dice.end(),
                        since: Timestamp::from_micros(0),
                    });
                }
            }
        }
    }

    fn add_permissions(&mut self, dice: &mut Dice) {
        let registered = &CODES[..CODES.len() - 1];
        for code in registered {
            let on = dice.percent(75).then(|| {
                let kind = ObjectType::parse(dice.one(&KINDS)).unwrap();
                (kind, dice.one(&ACTIONS))
            });
            self.permissions.push(Permission {
                code: PermissionCode::parse(code).unwrap(),
                description: String::new(),
                service: "test".to_owned(),
                on,
                registered_at: Timestamp::from_micros(0),
            });
        }
        for kind in KINDS {
            let rule = dice.one(&[None, Some(DeleteRule::ByLevel), Some(DeleteRule::OwnerOnly)]);
            let kind = ObjectType::parse(kind).unwrap();
            self.rules.extend(rule.map(|rule| (kind, rule)));
        }
    }

    fn add_objects(&mut self, dice: &mut Dice) {
        for object in all_refs().iter().cloned() {
            if dice.percent(50) {
                let group = dice.percent(80).then(|| random_group(dice));
                let level = dice.percent(50).then(|| dice.one(&LEVELS));
                self.objects.push(Object {
                    object,
                    owner: random_user(dice),
                    group,
                    level,
                    created_at: Timestamp::from_micros(0),
                });
            }
        }
    }

    pub(crate) fn catalogue(&self) -> Catalogue {
        Catalogue::new(self.permissions.clone(), self.rules.clone(), &self.nestings)
    }

    /// What is read about one user; the grants of everybody, so that others' must be left out.
    pub(crate) fn facts(&self, user: &User, catalogue: &Catalogue, now: Timestamp) -> Facts {
        let own: Vec<_> = self.memberships.iter().filter(|m| m.user == user.id).copied().collect();
        let grants = self.grants.clone();
        Facts::new(user.clone(), &own, &self.groups, grants, catalogue, now)
    }

    pub(crate) fn known(&self, object: &ObjectRef) -> Option<&Object> {
        self.objects.iter().find(|known| known.object == *object)
    }
}

/// Every object that a world may know of.
pub(crate) fn all_refs() -> &'static [ObjectRef] {
    static ALL: LazyLock<Vec<ObjectRef>> = LazyLock::new(|| {
        let of_kind = |kind: &str| IDS.map(|id| ObjectRef::new(kind, id).unwrap());
        KINDS.into_iter().flat_map(of_kind).collect()
    });
    &ALL
}

/// Every scope that a grant may have.
pub(crate) fn all_scopes() -> &'static [Scope] {
    static ALL: LazyLock<Vec<Scope>> = LazyLock::new(|| {
        let prefix = |(kind, path)| Scope::Prefix(ObjectPrefix::new(kind, path).unwrap());
        let paths = |kind| PREFIXES.map(|path| (kind, path));
        let prefixes = KINDS.into_iter().flat_map(paths).map(prefix);
        let objects = all_refs().iter().cloned().map(Scope::Object);
        std::iter::once(Scope::Whole).chain(objects).chain(prefixes).collect()
    });
    &ALL
}

fn random_user(dice: &mut Dice) -> UserId {
    user_id(u8::try_from(dice.below(usize::from(USERS))).unwrap())
}

fn random_group(dice: &mut Dice) -> GroupId {
    group_id(u8::try_from(dice.below(usize::from(GROUPS))).unwrap())
}

fn random_grant(dice: &mut Dice, number: u8) -> Grant {
    let subject = match dice.below(10) {
        0..4 => Subject::User(random_user(dice)),
        4..9 => Subject::Group(random_group(dice)),
        _ => Subject::Authenticated,
    };
    let kind = dice.one(&KINDS);
    let scope = match dice.below(10) {
        0..3 => Scope::Whole,
        3..7 => Scope::Object(ObjectRef::new(kind, dice.one(&IDS)).unwrap()),
        _ => Scope::Prefix(ObjectPrefix::new(kind, dice.one(&PREFIXES)).unwrap()),
    };
    let effect = if dice.percent(25) { Effect::Deny } else { Effect::Allow };
    Grant {
        id: grant_id(number),
        subject,
        permission: PermissionCode::parse(dice.one(&CODES)).unwrap(),
        effect,
        scope,
        expires_at: dice.end(),
        granted_by: None,
        granted_at: Timestamp::from_micros(0),
    }
}

fn user(number: u8) -> User {
    User {
        id: user_id(number),
        username: Username::parse(&format!("user {number}")).unwrap(),
        email: None,
        email_verified: false,
        first_name: PersonName::default(),
        last_name: PersonName::default(),
        is_active: true,
        is_staff: false,
        is_superuser: false,
        expires_at: None,
        created_at: Timestamp::from_micros(0),
        last_login_at: None,
        password_changed_at: None,
    }
}

fn group(number: u8) -> Group {
    Group {
        id: group_id(number),
        name: GroupName::parse(&format!("group {number}")).unwrap(),
        description: String::new(),
        level: Level::Private,
        created_at: Timestamp::from_micros(0),
    }
}

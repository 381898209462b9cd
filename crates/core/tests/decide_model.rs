//! The decision compared with a naive model of it, on ten thousand random worlds.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::collections::BTreeMap;

use vestibule_core::{
    Timestamp,
    domain::{
        grant::{Effect, Scope},
        object::{ObjectRef, ObjectType},
        permission::PermissionCode,
        user::User,
    },
    policy::{
        catalogue::Catalogue,
        decide::{
            Decision, Given, Question, Reason, Via, decide, may_know_of, whole_once_live,
            whole_permissions,
        },
        facts::Facts,
        holds::holds,
        visible::visible,
    },
};

mod model;
use model::{
    naive::{Naive, covers, takes_in},
    world::{CODES, Dice, KINDS, NOW, World, all_refs, all_scopes},
};

const WORLDS: u64 = 10_000;

/// One user in one world, as the code sees it and as the model sees it.
struct Pair<'w> {
    number: u64,
    world: &'w World,
    catalogue: &'w Catalogue,
    facts: Facts,
    naive: Naive<'w>,
    now: Timestamp,
}

impl<'w> Pair<'w> {
    fn new(number: u64, world: &'w World, catalogue: &'w Catalogue, user: &'w User) -> Self {
        Self {
            number,
            world,
            catalogue,
            facts: world.facts(user, catalogue, NOW),
            naive: Naive::new(world, user, NOW),
            now: NOW,
        }
    }

    fn decide(&self, permission: &str, object: Option<&ObjectRef>) -> Decision {
        let known = object.and_then(|object| self.world.known(object));
        let question = Question { permission, object, known };
        decide(&self.facts, self.catalogue, question, self.now)
    }

    fn context(&self, code: &str, about: &dyn std::fmt::Debug) -> String {
        let (number, user) = (self.number, self.facts.user().username.as_str());
        format!("world {number}: {user}, {code} on {about:?}")
    }

    /// The same answer for the same reason, and a reason that holds.
    fn compare_decisions(&self, tally: &mut BTreeMap<&'static str, u32>) {
        for code in CODES {
            for object in anything() {
                let decision = self.decide(code, object);
                let answer = (decision.allowed, decision.reason.code());
                let expected = self.naive.decide(code, object);
                assert_eq!(answer, expected, "{}", self.context(code, &object));
                *tally.entry(answer.1).or_default() += 1;
                match &decision.reason {
                    Reason::Denied(given) => {
                        self.check_given(given, Effect::Deny, code, object);
                    }
                    Reason::Granted(given) => {
                        self.check_given(given, Effect::Allow, code, object);
                    }
                    Reason::Level { path, .. } => self.check_path(path),
                    _ => {}
                }
            }
        }
    }

    fn check_given(&self, given: &Given, effect: Effect, code: &str, object: Option<&ObjectRef>) {
        let context = || self.context(code, &given);
        let all = &self.world.grants;
        let grant = all.iter().find(|g| g.id == given.grant).unwrap();
        assert_eq!(grant.effect, effect, "{}", context());
        assert_eq!(grant.permission.as_str(), code, "{}", context());
        assert_eq!(grant.scope, given.scope, "{}", context());
        assert!(covers(&grant.scope, object), "{}", context());
        assert!(self.naive.reaches(grant), "{}", context());
        if let Via::Groups(path) = &given.via {
            self.check_path(path);
        }
    }

    /// A path begins in a group that the user is directly in and goes up one nesting at a time.
    fn check_path(&self, path: &[std::sync::Arc<str>]) {
        let id_of = |name: &str| {
            let mut all = self.world.groups.iter();
            all.find(|group| group.name.as_str() == name).unwrap().id
        };
        let context = || self.context("a path", &path);
        assert!(self.naive.is_direct(id_of(&path[0])), "{}", context());
        for step in path.windows(2) {
            let (child, parent) = (id_of(&step[0]), id_of(&step[1]));
            let mut all = self.world.nestings.iter();
            let is_there = all.any(|n| (n.child, n.parent) == (child, parent));
            assert!(is_there, "{}", context());
        }
    }

    /// The remembered bits are the decisions about wholes.
    fn compare_bits(&self) {
        let bits = whole_permissions(&self.facts, self.catalogue, self.now);
        let once_live = whole_once_live(&self.facts, self.catalogue);
        let enabled = User { is_active: true, expires_at: None, ..self.naive.user.clone() };
        let enabled = Naive::new(self.world, &enabled, self.now).wholes();
        for code in CODES {
            let holds = |bits: &vestibule_core::policy::bits::Bits| {
                self.catalogue.bit(code).is_some_and(|bit| bits.contains(bit))
            };
            let expected = self.naive.decide(code, None).0;
            assert_eq!(holds(&bits), expected, "{}", self.context(code, &bits));
            let expected = enabled.contains(&code);
            assert_eq!(holds(&once_live), expected, "{}", self.context(code, &"if live"));
        }
    }

    /// The description of what is visible takes in exactly what is allowed one by one.
    fn compare_visible(&self) {
        for (code, kind) in CODES.iter().flat_map(|code| KINDS.map(|kind| (code, kind))) {
            let kind = ObjectType::parse(kind).unwrap();
            let visibility = visible(&self.facts, self.catalogue, code, &kind, self.now);
            for object in self.world.objects.iter().filter(|o| o.object.kind == kind) {
                let is_seen = visibility.as_ref().is_some_and(|v| takes_in(v, object));
                let is_allowed = self.naive.decide(code, Some(&object.object)).0;
                let context = || self.context(code, &(object, &visibility));
                assert_eq!(is_seen, is_allowed, "{}", context());
            }
        }
    }

    fn compare_may_know(&self) {
        for object in all_refs() {
            let known = self.world.known(object);
            let may_know = may_know_of(&self.facts, self.catalogue, object, known, self.now);
            let expected = self.naive.may_know_of(object);
            assert_eq!(may_know, expected, "{}", self.context("knowing", object));
        }
    }

    fn holds(&self, code: &str, scope: &Scope) -> bool {
        let known = match scope {
            Scope::Object(object) => self.world.known(object),
            Scope::Whole | Scope::Prefix(_) => None,
        };
        let code = PermissionCode::parse(code).unwrap();
        holds(&self.facts, self.catalogue, &code, scope, known, self.now)
    }

    /// What is held agrees with the model, and who holds it somewhere may use it all over there.
    fn compare_holds(&self) {
        for code in CODES {
            for scope in all_scopes() {
                let held = self.holds(code, scope);
                let context = || self.context(code, scope);
                assert_eq!(held, self.naive.holds(code, scope), "{}", context());
                // A superuser may give others even what only owners do to their own.
                if held && !self.facts.user().is_superuser {
                    let inside = |object: &&ObjectRef| covers(scope, Some(object));
                    for object in all_refs().iter().filter(inside) {
                        let may = self.naive.decide(code, Some(object)).0;
                        assert!(may, "{} but not on {object}", context());
                    }
                }
            }
        }
    }
}

impl Naive<'_> {
    fn wholes(&self) -> Vec<&'static str> {
        let mut wholes = CODES.to_vec();
        wholes.retain(|code| self.decide(code, None).0);
        wholes
    }
}

/// Every object, and none.
fn anything() -> impl Iterator<Item = Option<&'static ObjectRef>> {
    std::iter::once(None).chain(all_refs().iter().map(Some))
}

fn for_each_pair(worlds: std::ops::Range<u64>, mut check: impl FnMut(&Pair<'_>)) {
    for number in worlds {
        let world = World::random(number);
        let catalogue = world.catalogue();
        for user in &world.users {
            check(&Pair::new(number, &world, &catalogue, user));
        }
    }
}

#[test]
fn atk_a212_effective_rights_equal_a_naive_model_on_ten_thousand_worlds() {
    let mut tally = BTreeMap::new();
    for_each_pair(0..WORLDS, |pair| {
        pair.compare_decisions(&mut tally);
        pair.compare_bits();
        pair.compare_visible();
        pair.compare_may_know();
        pair.compare_holds();
    });
    // The worlds are worth something only if every way to decide occurs in them, and often.
    assert_eq!(tally.len(), 10, "{tally:?}");
    assert!(tally.values().all(|count| *count > 1000), "{tally:?}");
}

#[test]
fn atk_a211_a_membership_that_expired_or_is_not_there_never_counts() {
    let mut expired = 0;
    for_each_pair(0..2_000, |pair| {
        let user = pair.naive.user;
        // The same world without the memberships that do not count decides everything alike.
        let mut without = World::random(pair.number);
        let before = without.memberships.len();
        without
            .memberships
            .retain(|m| m.user == user.id && m.expires_at.is_none_or(|end| NOW < end));
        expired += before - without.memberships.len();
        let facts = without.facts(user, pair.catalogue, NOW);
        assert_eq!(facts.groups().count(), pair.naive.groups.len());
        for code in CODES {
            for object in all_refs() {
                let question = Question {
                    permission: code,
                    object: Some(object),
                    known: pair.world.known(object),
                };
                let decision = decide(&facts, pair.catalogue, question, NOW);
                let context = || pair.context(code, object);
                assert_eq!(decision, pair.decide(code, Some(object)), "{}", context());
            }
        }
    });
    assert!(expired > 1000, "only {expired} memberships did not count");
}

#[test]
fn atk_a211_facts_hold_exactly_until_something_expires() {
    let mut ends = 0;
    for_each_pair(0..2_000, |pair| {
        let until = pair.facts.valid_until();
        assert!(NOW < until);
        if until == Timestamp::MAX {
            return;
        }
        ends += 1;
        let just_before = Timestamp::from_micros(until.as_micros() - 1);
        let later = Pair {
            facts: pair.world.facts(pair.naive.user, pair.catalogue, NOW),
            naive: Naive::new(pair.world, pair.naive.user, just_before),
            now: just_before,
            ..*pair
        };
        later.compare_decisions(&mut BTreeMap::new());
        later.compare_bits();
    });
    assert!(ends > 1000, "only {ends} facts had an end");
}

#[test]
fn atk_a217_a_permission_says_nothing_about_another_of_a_similar_name() {
    let dice = &mut Dice(217);
    for number in 0..2_000 {
        let mut world = World::random(number);
        let code = CODES[dice.below(CODES.len())];
        world.grants.retain(|grant| grant.permission.as_str() != code);
        for permission in &mut world.permissions {
            permission.on = None;
        }
        let catalogue = world.catalogue();
        for user in world.users.iter().filter(|user| !user.is_superuser) {
            let pair = Pair::new(number, &world, &catalogue, user);
            for object in anything() {
                let decision = pair.decide(code, object);
                assert!(!decision.allowed, "{}", pair.context(code, &object));
            }
        }
    }
}

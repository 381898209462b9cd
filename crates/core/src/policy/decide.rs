//! The one function that answers whether somebody may do something, and why.

use std::{fmt, sync::Arc};

use super::{bits::Bits, catalogue::Catalogue, facts::Facts};
use crate::{
    domain::{
        grant::{Effect, Grant, Scope, Subject},
        level::{Action, Level},
        object::{DeleteRule, Object, ObjectRef, ObjectType},
        permission::Permission,
    },
    id::GrantId,
    time::Timestamp,
};

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Which permission.
    pub permission: &'a str,
    /// On which object; `None` asks about the permission as a whole.
    pub object: Option<&'a ObjectRef>,
    /// What we keep about that object, when we were ever told of it.
    pub known: Option<&'a Object>,
}

impl<'a> Question<'a> {
    /// About a permission as a whole.
    pub fn whole(permission: &'a str) -> Self {
        Self { permission, object: None, known: None }
    }
}

/// The answer to a [`Question`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether it is allowed.
    pub allowed: bool,
    /// What decided it.
    pub reason: Reason,
}

/// What decided a question. Shown in plain words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The account is disabled or has expired.
    NotLive,
    /// Nobody has registered this permission.
    UnknownPermission,
    /// Superusers hold every permission.
    Superuser,
    /// Superusers hold every permission but this one here.
    SuperuserBarred(&'static str),
    /// A denial covers it.
    Denied(Given),
    /// A grant covers it.
    Granted(Given),
    /// The user owns the object.
    Owner,
    /// The user manages the group that owns the object.
    Manager {
        /// That group.
        group: Arc<str>,
    },
    /// The object's level lets members of its group.
    Level {
        /// The level.
        level: Level,
        /// From the group the user is in to the group that owns the object.
        path: Vec<Arc<str>>,
    },
    /// Nothing allows it.
    NothingAllows,
}

/// A grant or denial, and how it reaches the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The grant.
    pub grant: GrantId,
    /// Where it holds.
    pub scope: Scope,
    /// How it reaches the user.
    pub via: Via,
}

/// How a grant reaches a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// It was made to the user.
    User,
    /// It was made to everybody who is logged in.
    Authenticated,
    /// It was made to the last of these groups; the user is in the first, each is in the next.
    Groups(Vec<Arc<str>>),
}

/// Answers whether the user may, and why.
///
/// In this order: an account that is not live may nothing; a superuser everything, but for what
/// an owner alone may; a denial wins over every allowance; then grants, ownership, the group's
/// managers and the object's level allow.
pub fn decide(
    facts: &Facts,
    catalogue: &Catalogue,
    question: Question<'_>,
    now: Timestamp,
) -> Decision {
    if facts.user().is_live(now) { judge(facts, catalogue, question) } else { no(Reason::NotLive) }
}

/// The decision about an account that is live.
fn judge(facts: &Facts, catalogue: &Catalogue, question: Question<'_>) -> Decision {
    let Some(permission) = catalogue.permission(question.permission) else {
        return no(Reason::UnknownPermission);
    };
    let rules = Rules::of(facts, catalogue, permission, question);
    if facts.user().is_superuser && rules.barred.is_none() {
        return yes(Reason::Superuser);
    }
    if !facts.user().is_superuser
        && let Some(denial) = facts.grant(&permission.code, Effect::Deny, question.object)
    {
        return no(Reason::Denied(given(facts, denial)));
    }
    if let Some(grant) = facts.grant(&permission.code, Effect::Allow, question.object) {
        return yes(Reason::Granted(given(facts, grant)));
    }
    match (rules.relation(), rules.barred) {
        (Some(reason), _) => yes(reason),
        (None, Some(rule)) if facts.user().is_superuser => no(Reason::SuperuserBarred(rule)),
        (None, _) => no(Reason::NothingAllows),
    }
}

/// Every registered permission that the user holds as a whole: the warm path's memory of
/// [`decide`].
pub fn whole_permissions(facts: &Facts, catalogue: &Catalogue, now: Timestamp) -> Bits {
    if facts.user().is_live(now) { whole_once_live(facts, catalogue) } else { Bits::default() }
}

/// What [`whole_permissions`] would be if the account were live: what enabling it gives away.
pub fn whole_once_live(facts: &Facts, catalogue: &Catalogue) -> Bits {
    let permissions = catalogue.permissions();
    Bits::collect(permissions.len(), |bit| {
        permissions.get(bit as usize).is_some_and(|permission| {
            let question = Question::whole(permission.code.as_str());
            judge(facts, catalogue, question).allowed
        })
    })
}

/// Whether the user may know that the object exists: nobody else is told that it does.
pub fn may_know_of(
    facts: &Facts,
    catalogue: &Catalogue,
    object: &ObjectRef,
    known: Option<&Object>,
    now: Timestamp,
) -> bool {
    let mut looks = catalogue.permissions_for(&object.kind, Action::View).peekable();
    // Where nothing stands for looking, there is no secret to keep: the answer is the same for
    // objects that exist and objects that do not.
    looks.peek().is_none()
        || looks.any(|look| {
            let permission = look.code.as_str();
            decide(facts, catalogue, Question { permission, object: Some(object), known }, now)
                .allowed
        })
}

/// What the relation between user and object says about one question.
struct Rules<'a> {
    facts: &'a Facts,
    action: Option<Action>,
    known: Option<&'a Object>,
    level: Level,
    owner_only: bool,
    barred: Option<&'static str>,
}

impl<'a> Rules<'a> {
    fn of(
        facts: &'a Facts,
        catalogue: &Catalogue,
        permission: &Permission,
        question: Question<'a>,
    ) -> Self {
        let kind = question.object.map(|object| &object.kind);
        let action = kind.and_then(|kind| catalogue.action_on(permission, kind));
        let owner_only = kind.is_some_and(|kind| only_owner(catalogue, kind, action));
        let level = question.known.map_or(Level::Private, |known| level_of(known, facts));
        let is_owner = question.known.is_some_and(|known| known.owner == facts.user().id);
        let barred = (owner_only && !is_owner).then_some("only its owner deletes it");
        Self { facts, action, known: question.known, level, owner_only, barred }
    }

    /// What the user is to the object that allows the action.
    fn relation(&self) -> Option<Reason> {
        let (action, known) = (self.action?, self.known?);
        if known.owner == self.facts.user().id {
            return Some(Reason::Owner);
        }
        let group = known.group?;
        let reached = self.facts.reached(group)?;
        if self.owner_only {
            None
        } else if reached.is_manager && self.level.lets_managers(action) {
            Some(Reason::Manager { group: Arc::clone(&reached.name) })
        } else if self.level.lets_members(action) {
            Some(Reason::Level { level: self.level, path: self.facts.path_to(group) })
        } else {
            None
        }
    }
}

/// Whether an action on a kind of object is its owner's alone.
pub(super) fn only_owner(catalogue: &Catalogue, kind: &ObjectType, action: Option<Action>) -> bool {
    action == Some(Action::Delete) && catalogue.delete_rule(kind) == DeleteRule::OwnerOnly
}

/// The object's own level, else its group's. Groups that the user is not in do not matter.
fn level_of(object: &Object, facts: &Facts) -> Level {
    let of_group = || object.group.and_then(|id| facts.reached(id)).map(|group| group.level);
    object.level.or_else(of_group).unwrap_or(Level::Private)
}

fn given(facts: &Facts, grant: &Grant) -> Given {
    let via = match grant.subject {
        Subject::User(_) => Via::User,
        Subject::Authenticated => Via::Authenticated,
        Subject::Group(group) => Via::Groups(facts.path_to(group)),
    };
    Given { grant: grant.id, scope: grant.scope.clone(), via }
}

fn yes(reason: Reason) -> Decision {
    Decision { allowed: true, reason }
}

fn no(reason: Reason) -> Decision {
    Decision { allowed: false, reason }
}

impl Reason {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotLive => "not_live",
            Self::UnknownPermission => "unknown_permission",
            Self::Superuser => "superuser",
            Self::SuperuserBarred(_) => "superuser_barred",
            Self::Denied(_) => "denied",
            Self::Granted(_) => "granted",
            Self::Owner => "owner",
            Self::Manager { .. } => "group_manager",
            Self::Level { .. } => "sharing_level",
            Self::NothingAllows => "nothing_allows",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLive => f.write_str("the account is disabled or has expired"),
            Self::UnknownPermission => f.write_str("no service has registered this permission"),
            Self::Superuser => f.write_str("superusers hold every permission"),
            Self::SuperuserBarred(rule) => write!(f, "{rule}, superusers included"),
            Self::Denied(given) => write!(f, "denied {given}"),
            Self::Granted(given) => write!(f, "granted {given}"),
            Self::Owner => f.write_str("the user owns the object"),
            Self::Manager { group } => {
                write!(f, "the user manages group {group}, which the object belongs to")
            }
            Self::Level { level, path } => {
                write!(f, "the object is {level} for members of its group: {}", Chain(path))
            }
            Self::NothingAllows => f.write_str("nothing allows it"),
        }
    }
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.via {
            Via::User => write!(f, "to the user")?,
            Via::Authenticated => write!(f, "to everybody who is logged in")?,
            Via::Groups(path) => {
                let group = path.last().map_or("", |name| &**name);
                write!(f, "to group {group} ({})", Chain(path))?;
            }
        }
        write!(f, " on {} (grant {})", ScopeWords(&self.scope), self.grant)
    }
}

struct Chain<'a>(&'a [Arc<str>]);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the user is in ")?;
        f.write_str(&self.0.join(", which is in "))
    }
}

struct ScopeWords<'a>(&'a Scope);

impl fmt::Display for ScopeWords<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Scope::Whole => f.write_str("everything"),
            Scope::Object(object) => object.fmt(f),
            Scope::Prefix(prefix) => write!(f, "all below {}:{}", prefix.kind, prefix.path),
        }
    }
}

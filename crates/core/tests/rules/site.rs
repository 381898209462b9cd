//! A small site, set up by names.

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
    policy::{
        catalogue::Catalogue,
        decide::{Decision, Question, decide},
        facts::Facts,
        holds::holds,
    },
};

pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

/// Users, groups, permissions, grants and objects by name.
#[derive(Default)]
pub(crate) struct Site {
    users: Vec<User>,
    groups: Vec<Group>,
    nestings: Vec<Nesting>,
    memberships: Vec<Membership>,
    permissions: Vec<Permission>,
    rules: Vec<(ObjectType, DeleteRule)>,
    grants: Vec<Grant>,
    objects: Vec<Object>,
}

/// To whom a grant is made.
#[derive(Clone, Copy)]
pub(crate) enum To {
    User(&'static str),
    Group(&'static str),
    Everybody,
}

/// An id that follows from a name.
fn bytes(name: &str) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (byte, letter) in bytes.iter_mut().zip(name.bytes()) {
        *byte = letter;
    }
    bytes
}

pub(crate) fn user_id(name: &str) -> UserId {
    UserId::from_bytes(bytes(name))
}

fn group_id(name: &str) -> GroupId {
    GroupId::from_bytes(bytes(name))
}

impl Site {
    pub(crate) fn user(&mut self, name: &str) -> &mut User {
        self.users.push(User {
            id: user_id(name),
            username: Username::parse(name).unwrap(),
            email: None,
            email_verified: false,
            first_name: PersonName::default(),
            last_name: PersonName::default(),
            is_active: true,
            is_staff: false,
            is_superuser: false,
            expires_at: None,
            created_at: NOW,
            last_login_at: None,
            password_changed_at: None,
        });
        self.users.last_mut().unwrap()
    }

    pub(crate) fn superuser(&mut self, name: &str) {
        self.user(name).is_superuser = true;
    }

    pub(crate) fn group(&mut self, name: &str, level: Level) {
        self.groups.push(Group {
            id: group_id(name),
            name: GroupName::parse(name).unwrap(),
            description: String::new(),
            level,
            created_at: NOW,
        });
    }

    pub(crate) fn member(&mut self, group: &str, user: &str) -> &mut Membership {
        self.memberships.push(Membership {
            group: group_id(group),
            user: user_id(user),
            is_manager: false,
            expires_at: None,
            since: NOW,
        });
        self.memberships.last_mut().unwrap()
    }

    pub(crate) fn manager(&mut self, group: &str, user: &str) {
        self.member(group, user).is_manager = true;
    }

    pub(crate) fn leave(&mut self, group: &str, user: &str) {
        let (group, user) = (group_id(group), user_id(user));
        self.memberships.retain(|m| (m.group, m.user) != (group, user));
    }

    /// The members of `child` are members of `parent` too.
    pub(crate) fn nest(&mut self, parent: &str, child: &str) {
        self.nestings.push(Nesting { parent: group_id(parent), child: group_id(child) });
    }

    pub(crate) fn permission(&mut self, code: &str, on: Option<(&str, Action)>) {
        self.permissions.push(Permission {
            code: PermissionCode::parse(code).unwrap(),
            description: String::new(),
            service: "test".to_owned(),
            on: on.map(|(kind, action)| (ObjectType::parse(kind).unwrap(), action)),
            registered_at: NOW,
        });
    }

    /// Registers `view`, `annotate`, `edit`, `delete` and `manage` of a kind, `kind.action`.
    pub(crate) fn permissions_on(&mut self, kind: &str) {
        for action in [Action::View, Action::Annotate, Action::Edit, Action::Delete, Action::Manage]
        {
            self.permission(&format!("{kind}.{action}"), Some((kind, action)));
        }
    }

    pub(crate) fn delete_rule(&mut self, kind: &str, rule: DeleteRule) {
        self.rules.push((ObjectType::parse(kind).unwrap(), rule));
    }

    pub(crate) fn object(&mut self, object: &str, owner: &str, group: Option<&str>) -> &mut Object {
        self.objects.push(Object {
            object: ObjectRef::parse(object).unwrap(),
            owner: user_id(owner),
            group: group.map(group_id),
            level: None,
            created_at: NOW,
        });
        self.objects.last_mut().unwrap()
    }

    pub(crate) fn grant(&mut self, to: To, code: &str, scope: Scope) -> &mut Grant {
        let number = u8::try_from(self.grants.len()).unwrap();
        self.grants.push(Grant {
            id: GrantId::from_bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, number]),
            subject: match to {
                To::User(name) => Subject::User(user_id(name)),
                To::Group(name) => Subject::Group(group_id(name)),
                To::Everybody => Subject::Authenticated,
            },
            permission: PermissionCode::parse(code).unwrap(),
            effect: Effect::Allow,
            scope,
            expires_at: None,
            granted_by: None,
            granted_at: NOW,
        });
        self.grants.last_mut().unwrap()
    }

    pub(crate) fn deny(&mut self, to: To, code: &str, scope: Scope) {
        self.grant(to, code, scope).effect = Effect::Deny;
    }

    /// Takes back every grant of a permission.
    pub(crate) fn take_back(&mut self, code: &str) {
        self.grants.retain(|grant| grant.permission.as_str() != code);
    }

    fn catalogue(&self) -> Catalogue {
        Catalogue::new(self.permissions.clone(), self.rules.clone(), &self.nestings)
    }

    fn facts(&self, user: &str, catalogue: &Catalogue) -> Facts {
        let id = user_id(user);
        let account = self.users.iter().find(|u| u.id == id).unwrap().clone();
        let own: Vec<_> = self.memberships.iter().filter(|m| m.user == id).copied().collect();
        let grants = self.grants.clone();
        Facts::new(account, &own, &self.groups, grants, catalogue, NOW)
    }

    fn known(&self, object: &ObjectRef) -> Option<&Object> {
        self.objects.iter().find(|known| known.object == *object)
    }

    /// The decision about an object (`kind:id`), or about the permission as a whole (`""`).
    pub(crate) fn decide(&self, user: &str, permission: &str, object: &str) -> Decision {
        let catalogue = self.catalogue();
        let object = (!object.is_empty()).then(|| ObjectRef::parse(object).unwrap());
        let question = Question {
            permission,
            object: object.as_ref(),
            known: object.as_ref().and_then(|object| self.known(object)),
        };
        decide(&self.facts(user, &catalogue), &catalogue, question, NOW)
    }

    pub(crate) fn may(&self, user: &str, permission: &str, object: &str) -> bool {
        self.decide(user, permission, object).allowed
    }

    /// The reason in words.
    pub(crate) fn why(&self, user: &str, permission: &str, object: &str) -> String {
        self.decide(user, permission, object).reason.to_string()
    }

    /// Whether the user may give the permission to others in a scope.
    pub(crate) fn may_give(&self, user: &str, permission: &str, scope: &Scope) -> bool {
        let catalogue = self.catalogue();
        let code = PermissionCode::parse(permission).unwrap();
        let known = match scope {
            Scope::Object(object) => self.known(object),
            Scope::Whole | Scope::Prefix(_) => None,
        };
        let facts = self.facts(user, &catalogue);
        holds(&facts, &catalogue, &code, scope, known, NOW)
    }

    /// What the user may do to an object, of view, annotate, edit, delete and manage.
    pub(crate) fn actions(&self, user: &str, object: &str) -> Vec<&'static str> {
        let (kind, _) = object.split_once(':').unwrap();
        let mut all = vec!["view", "annotate", "edit", "delete", "manage"];
        all.retain(|action| self.may(user, &format!("{kind}.{action}"), object));
        all
    }
}

/// The scope of one object.
pub(crate) fn on(object: &str) -> Scope {
    Scope::Object(ObjectRef::parse(object).unwrap())
}

/// The scope of all below a path (`kind:/path/`).
pub(crate) fn below(prefix: &str) -> Scope {
    let (kind, path) = prefix.split_once(':').unwrap();
    Scope::Prefix(ObjectPrefix::new(kind, path).unwrap())
}

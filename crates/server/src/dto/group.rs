//! Groups and their members.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule_core::{
    domain::{group::Group, identity::Source, level::Level},
    ports::checks::MemberSource,
    usecase::{
        groups::{GroupPatch, NewGroup},
        members::Member,
    },
};

use crate::problem::Problem;

/// A group.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Group)]
pub(crate) struct GroupOut {
    id: uuid::Uuid,
    name: String,
    description: String,
    /// `private`, `read-only`, `read-annotate` or `read-write`.
    level: &'static str,
    created_at: String,
}

impl From<Group> for GroupOut {
    fn from(group: Group) -> Self {
        Self {
            id: group.id.as_uuid(),
            name: group.name.to_string(),
            description: group.description,
            level: group.level.as_str(),
            created_at: group.created_at.to_string(),
        }
    }
}

/// A group with the ones it contains and the ones it is in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GroupWithNesting)]
pub(crate) struct NestedGroupOut {
    #[serde(flatten)]
    group: GroupOut,
    /// The groups whose members count as this one's.
    contains: Vec<GroupOut>,
    /// The groups that this one's members count for.
    inside: Vec<GroupOut>,
}

impl NestedGroupOut {
    pub(crate) fn new(group: Group, (contains, inside): (Vec<Group>, Vec<Group>)) -> Self {
        let out = |groups: Vec<Group>| groups.into_iter().map(GroupOut::from).collect();
        Self { group: group.into(), contains: out(contains), inside: out(inside) }
    }
}

/// A new group.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewGroup)]
pub(crate) struct GroupIn {
    name: String,
    #[serde(default)]
    description: String,
    level: Option<String>,
}

impl GroupIn {
    pub(crate) fn parse(self) -> Result<NewGroup, Problem> {
        let level = self.level.as_deref().map(level).transpose()?;
        Ok(NewGroup { name: self.name, description: self.description, level })
    }
}

/// What is to be different about a group.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GroupPatch)]
pub(crate) struct GroupPatchIn {
    name: Option<String>,
    description: Option<String>,
    level: Option<String>,
}

impl GroupPatchIn {
    pub(crate) fn parse(self) -> Result<GroupPatch, Problem> {
        let level = self.level.as_deref().map(level).transpose()?;
        Ok(GroupPatch { name: self.name, description: self.description, level })
    }
}

pub(crate) fn level(text: &str) -> Result<Level, Problem> {
    text.parse().map_err(|error| Problem::malformed_field("level", format!("{error}")))
}

/// A member of a group.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Member)]
pub(crate) struct MemberOut {
    user_id: uuid::Uuid,
    username: String,
    is_manager: bool,
    expires_at: Option<String>,
    since: String,
    /// Where the membership comes from; empty where somebody here made it and nobody else.
    sources: Vec<SourceOut>,
}

/// A backend that a membership comes from.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MemberSource)]
pub(crate) struct SourceOut {
    /// Its name; `null` for somebody here.
    backend: Option<String>,
    /// Since when it could not be asked: what it told is as old as that.
    stale_since: Option<String>,
}

impl From<MemberSource> for SourceOut {
    fn from(from: MemberSource) -> Self {
        let backend = match &from.source {
            Source::ByHand => None,
            Source::Backend(name) => Some(name.to_string()),
        };
        Self { backend, stale_since: from.stale_since.map(|since| since.to_string()) }
    }
}

impl From<Member> for MemberOut {
    fn from(Member { membership, user, sources }: Member) -> Self {
        Self {
            sources: sources.into_iter().map(SourceOut::from).collect(),
            user_id: user.id.as_uuid(),
            username: user.username.to_string(),
            is_manager: membership.is_manager,
            expires_at: membership.expires_at.map(|end| end.to_string()),
            since: membership.since.to_string(),
        }
    }
}

/// How somebody is to be in a group.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewMember)]
pub(crate) struct MemberIn {
    /// The account's id.
    pub(crate) user: String,
    #[serde(default)]
    pub(crate) is_manager: bool,
    pub(crate) expires_at: Option<String>,
}

/// A group that is to be in another.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewNesting)]
pub(crate) struct NestingIn {
    /// The id of the group whose members are to count.
    pub(crate) group: String,
}

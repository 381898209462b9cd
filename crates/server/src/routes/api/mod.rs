//! The API below `{prefix}/api/v1`, one file to a resource.

mod announcements;
mod audit;
mod check;
mod email;
mod experiments;
mod grants;
mod groups;
mod identities;
mod invitations;
pub(crate) mod login;
mod members;
mod objects;
mod outbox;
mod permissions;
mod recovery;
mod registration;
mod sessions;
mod users;

use actix_web::web::{delete, patch, post, put};
use vestibule_core::domain::rights;

use super::look as get;
use super::table::{
    Endpoint,
    Guard::{LoggedIn, Open, Permission, Related},
    Output::{List, One, Page},
    of,
};
use crate::{
    dto::{
        announcement::{AnnouncementIn, AnnouncementOut, PreviewOut},
        audit::AuditOut,
        check::{CheckIn, CheckOut},
        experiment::{AuthorizationOut, ExperimentOut},
        grant::{GrantIn, GrantOut},
        group::{GroupIn, GroupOut, GroupPatchIn, MemberIn, MemberOut, NestedGroupOut, NestingIn},
        identity::{ConversionIn, IdentityIn, IdentityOut},
        invitation::{AcceptIn, InvitationIn, InvitationOut},
        mailed::{ActivateIn, AddressIn, EmailChangeIn, RegisterIn, ResetIn, TokenIn},
        object::{ObjectIn, ObjectOut, ShareIn, SharedOut},
        outbox::{MailCountOut, MailOut},
        permission::{PermissionOut, RegistrationIn},
        registration::{ConsentOut, RefusalIn, WaitingOut},
        session::{CurrentOut, LoginIn, SessionOut},
        user::{PasswordChangeIn, PasswordIn, UserIn, UserOut, UserPatchIn},
    },
    openapi,
};

const PAGED: &[(&str, &str)] =
    &[("page", "which page, counted from 1"), ("page_size", "how many to a page")];
const USERS_QUERY: &[(&str, &str)] = &[
    ("page", "which page, counted from 1"),
    ("page_size", "how many to a page"),
    ("search", "part of the login name, the names or the mail address"),
    ("ordering", "username, email, created_at or last_login_at; - in front: from last to first"),
    ("is_active", "only these that may (not) be used"),
    ("is_superuser", "only (no) superusers"),
    ("group", "only direct members of the group with this id"),
];
const GROUPS_QUERY: &[(&str, &str)] = &[
    ("page", "which page, counted from 1"),
    ("page_size", "how many to a page"),
    ("search", "part of the name"),
    ("ordering", "name or created_at; - in front: from last to first"),
];
const PERMISSIONS_QUERY: &[(&str, &str)] = &[
    ("page", "which page, counted from 1"),
    ("page_size", "how many to a page"),
    ("search", "part of the code or the description"),
    ("ordering", "code; - in front: from last to first"),
];
const GRANTS_QUERY: &[(&str, &str)] = &[
    ("page", "which page, counted from 1"),
    ("page_size", "how many to a page"),
    ("user", "made to the user with this id"),
    ("group", "made to the group with this id"),
    ("permission", "of this permission"),
    ("object", "on exactly this object, type:id"),
];
const OBJECTS_QUERY: &[(&str, &str)] = &[
    ("page", "which page, counted from 1"),
    ("page_size", "how many to a page"),
    ("permission", "the permission that must be held on each"),
    ("owner", "only those of the user with this id, of `me` or of `others`"),
    ("search", "part of the owner's login name"),
    ("ordering", "id; - in front: from last to first"),
];
const EXPERIMENTS_QUERY: &[(&str, &str)] = &[
    ("page", "which page, counted from 1"),
    ("page_size", "how many to a page, at most 20"),
    ("search", "part of the subject, the body, the beam line or the proposal"),
    ("ordering", "proposal_id, subject, body or beam_line; - in front: from last to first"),
];
const IDENTITY_QUERY: &[(&str, &str)] =
    &[("backend", "which backend"), ("subject", "by what it knows the person")];
const AUDIT_QUERY: &[(&str, &str)] = &[
    ("page", "which page, counted from 1"),
    ("page_size", "how many to a page"),
    ("actor", "done by the account with this id"),
    ("action", "with this name, or a name that begins so when it ends with a dot"),
    ("target_kind", "done to something of this kind"),
    ("target_id", "done to the thing with this id"),
    ("since", "not before this time"),
    ("until", "before this time"),
    ("format", "jsonl: all of them, oldest first, one JSON object to a line"),
];

const OUTBOX_QUERY: &[(&str, &str)] = &[
    ("page", "which page, counted from 1"),
    ("page_size", "how many to a page"),
    ("state", "waiting, sent, dead or expired"),
    ("kind", "about this, as in `kind`"),
    ("to", "to this address"),
];
const PURGE_QUERY: &[(&str, &str)] = &[
    ("state", "sent, dead or expired; all three when it is left out"),
    ("older_than", "only those that came to it longer ago, such as 14d"),
];

macro_rules! rows {
    ($($method:ident $path:literal $summary:literal, $guard:expr, $query:expr, $input:expr, $status:literal $output:expr => $handler:path;)*) => {
        &[$(Endpoint {
            method: rows!(@name $method),
            path: concat!("/api/v1", $path),
            summary: $summary,
            guard: $guard,
            query: $query,
            input: $input,
            output: ($status, $output),
            route: || $method().to($handler),
        }),*]
    };
    (@name get) => { "GET" };
    (@name post) => { "POST" };
    (@name put) => { "PUT" };
    (@name patch) => { "PATCH" };
    (@name delete) => { "DELETE" };
}

/// All operations of the API.
pub const ENDPOINTS: &[Endpoint] = rows! {
    post "/login" "Log in; opens a session and sets its cookie",
        Open, &[], Some(of::<LoginIn>()), 200 Some(One(of::<CurrentOut>())) => login::login;
    get "/login" "Which ways to log in there are",
        Open, &[], None, 200 None => login::ways;
    post "/logout" "Log out; harmless when nobody is logged in",
        Open, &[], None, 204 None => login::logout;
    get "/session" "Who is logged in, and what they may",
        LoggedIn, &[], None, 200 Some(One(of::<CurrentOut>())) => login::current;
    get "/sessions" "My devices",
        LoggedIn, &[], None, 200 Some(List(of::<SessionOut>())) => sessions::own;
    delete "/sessions" "End all other sessions of mine",
        LoggedIn, &[], None, 204 None => sessions::end_others;
    delete "/sessions/{id}" "End a session",
        Related(rights::END_SESSION), &[], None, 204 None => sessions::end;
    get "/identities" "Who I am elsewhere",
        LoggedIn, &[], None, 200 Some(List(of::<IdentityOut>())) => identities::own;
    post "/identities" "Link who I am elsewhere to my account",
        LoggedIn, &[], Some(of::<IdentityIn>()), 201 Some(One(of::<IdentityOut>())) => identities::link;
    delete "/identities" "End such a link",
        LoggedIn, IDENTITY_QUERY, None, 204 None => identities::unlink;
    post "/password/change" "Change the own password; all other sessions end, and this one goes on under a new token",
        LoggedIn, &[], Some(of::<PasswordChangeIn>()), 200 Some(One(of::<CurrentOut>())) => users::change_password;
    post "/password/forgot" "Have a link mailed that sets another password; the same answer for every address",
        Open, &[], Some(of::<AddressIn>()), 202 None => recovery::forgot;
    post "/password/reset" "Set another password by such a link; all sessions of the account end",
        Open, &[], Some(of::<ResetIn>()), 204 None => recovery::reset;
    post "/register" "Register; the same answer whether or not the name and the address have an account",
        Open, &[], Some(of::<RegisterIn>()), 202 None => registration::register;
    post "/activate" "Make the account of a registration by the link that was mailed; 202 where an administrator is asked first",
        Open, &[], Some(of::<ActivateIn>()), 204 None => registration::activate;
    post "/activate/resend" "Have that link mailed once more; the same answer for every address",
        Open, &[], Some(of::<AddressIn>()), 202 None => registration::resend;
    get "/registrations" "Registrations that wait for an administrator",
        Permission(rights::ADD_USER), PAGED, None, 200 Some(Page(of::<WaitingOut>())) => registration::waiting;
    post "/registrations/{id}/approve" "Make the account of a registration that waits",
        Permission(rights::ADD_USER), &[], None, 201 Some(One(of::<UserOut>())) => registration::approve;
    post "/registrations/{id}/refuse" "Refuse a registration that waits, with a reason or without",
        Permission(rights::ADD_USER), &[], Some(of::<RefusalIn>()), 204 None => registration::refuse;
    post "/invitations/accept" "Come in by an invitation: with a name and a password, or logged in to the account with its address",
        Open, &[], Some(of::<AcceptIn>()), 204 None => invitations::accept;
    post "/invitations/decline" "Say that one does not want to come in",
        Open, &[], Some(of::<TokenIn>()), 204 None => invitations::decline;
    get "/invitations" "Invitations that wait: one's own, and everybody's for whoever may see accounts",
        Permission(rights::INVITE_USER), PAGED, None, 200 Some(Page(of::<InvitationOut>())) => invitations::list;
    post "/invitations" "Invite somebody by mail, into groups that one could add anybody to",
        Permission(rights::INVITE_USER), &[], Some(of::<InvitationIn>()), 202 Some(One(of::<InvitationOut>())) => invitations::invite;
    delete "/invitations/{id}" "Take an invitation back",
        Permission(rights::INVITE_USER), &[], None, 204 None => invitations::withdraw;
    post "/invitations/{id}/resend" "Mail an invitation once more",
        Permission(rights::INVITE_USER), &[], None, 202 None => invitations::resend;
    post "/email/change" "Ask for another mail address of one's own; a link goes there",
        LoggedIn, &[], Some(of::<EmailChangeIn>()), 202 None => email::change;
    post "/email/confirm" "Make it one's own by that link",
        LoggedIn, &[], Some(of::<TokenIn>()), 204 None => email::confirm;

    get "/users" "Accounts",
        Permission(rights::VIEW_USER), USERS_QUERY, None, 200 Some(Page(of::<UserOut>())) => users::list;
    post "/users" "Make an account",
        Permission(rights::ADD_USER), &[], Some(of::<UserIn>()), 201 Some(One(of::<UserOut>())) => users::add;
    get "/users/{id}" "One account",
        Related(rights::VIEW_USER), &[], None, 200 Some(One(of::<UserOut>())) => users::get;
    patch "/users/{id}" "Change an account",
        Related(rights::CHANGE_USER), &[], Some(of::<UserPatchIn>()), 200 Some(One(of::<UserOut>())) => users::edit;
    delete "/users/{id}" "Remove an account",
        Permission(rights::DELETE_USER), &[], None, 204 None => users::remove;
    put "/users/{id}/password" "Set somebody's password; all their sessions end",
        Permission(rights::SET_PASSWORD), &[], Some(of::<PasswordIn>()), 204 None => users::set_password;
    get "/users/{id}/identities" "Who somebody is elsewhere",
        Related(rights::VIEW_USER), &[], None, 200 Some(List(of::<IdentityOut>())) => identities::of_user;
    post "/users/{id}/identities" "Have an account be entered by a backend instead of by a password here; all its sessions end",
        Permission(rights::SET_PASSWORD), &[], Some(of::<ConversionIn>()), 201 Some(One(of::<IdentityOut>())) => identities::convert;
    delete "/users/{id}/identities" "End such a link; who has no other way in is mailed a link to choose a password",
        Permission(rights::SET_PASSWORD), IDENTITY_QUERY, None, 204 None => identities::convert_back;
    get "/users/{id}/permissions" "Everything a user holds as a whole",
        Related(rights::CHECK_ACCESS), &[], None, 200 None => users::permissions;
    get "/users/{id}/sessions" "Somebody's sessions",
        Related(rights::VIEW_SESSION), &[], None, 200 Some(List(of::<SessionOut>())) => sessions::of_user;
    delete "/users/{id}/sessions" "End all sessions of a user",
        Related(rights::END_SESSION), &[], None, 204 None => sessions::end_of_user;

    get "/users/{id}/consents" "What a user agreed to, and when",
        Related(rights::VIEW_USER), &[], None, 200 Some(List(of::<ConsentOut>())) => registration::consents;

    get "/groups" "Groups",
        Permission(rights::VIEW_GROUP), GROUPS_QUERY, None, 200 Some(Page(of::<GroupOut>())) => groups::list;
    post "/groups" "Make a group",
        Permission(rights::ADD_GROUP), &[], Some(of::<GroupIn>()), 201 Some(One(of::<GroupOut>())) => groups::add;
    get "/groups/{id}" "One group, with those in it and those it is in",
        Related(rights::VIEW_GROUP), &[], None, 200 Some(One(of::<NestedGroupOut>())) => groups::get;
    patch "/groups/{id}" "Change a group",
        Related(rights::CHANGE_GROUP), &[], Some(of::<GroupPatchIn>()), 200 Some(One(of::<GroupOut>())) => groups::edit;
    delete "/groups/{id}" "Remove a group",
        Permission(rights::DELETE_GROUP), &[], None, 204 None => groups::remove;
    get "/groups/{id}/members" "A group's direct members",
        Related(rights::VIEW_GROUP), PAGED, None, 200 Some(Page(of::<MemberOut>())) => members::list;
    post "/groups/{id}/members" "Add a member, or change how one is in the group",
        Related(rights::CHANGE_GROUP), &[], Some(of::<MemberIn>()), 204 None => members::put;
    delete "/groups/{id}/members/{user}" "Remove a member",
        Related(rights::CHANGE_GROUP), &[], None, 204 None => members::remove;
    post "/groups/{id}/groups" "Put a group into this one",
        Permission(rights::CHANGE_GROUP), &[], Some(of::<NestingIn>()), 204 None => groups::nest;
    delete "/groups/{id}/groups/{child}" "Take a group out of this one",
        Permission(rights::CHANGE_GROUP), &[], None, 204 None => groups::unnest;

    get "/permissions" "Registered permissions",
        LoggedIn, PERMISSIONS_QUERY, None, 200 Some(Page(of::<PermissionOut>())) => permissions::list;
    post "/permissions" "Register what a service checks",
        Permission(rights::REGISTER_PERMISSION), &[], Some(of::<RegistrationIn>()), 204 None => permissions::register;
    delete "/permissions/{code}" "Remove a permission with its grants",
        Permission(rights::REGISTER_PERMISSION), &[], None, 204 None => permissions::remove;

    get "/grants" "Grants and denials",
        Permission(rights::VIEW_GRANT), GRANTS_QUERY, None, 200 Some(Page(of::<GrantOut>())) => grants::list;
    post "/grants" "Grant or deny, within the own rights",
        Permission(rights::CHANGE_GRANT), &[], Some(of::<GrantIn>()), 201 Some(One(of::<GrantOut>())) => grants::add;
    get "/grants/{id}" "One grant",
        Permission(rights::VIEW_GRANT), &[], None, 200 Some(One(of::<GrantOut>())) => grants::get;
    delete "/grants/{id}" "Take a grant back",
        Permission(rights::CHANGE_GRANT), &[], None, 204 None => grants::remove;

    get "/objects/{type}" "The objects of a kind for which the caller has a permission",
        LoggedIn, OBJECTS_QUERY, None, 200 Some(Page(of::<ObjectOut>())) => objects::list;
    get "/objects/{type}/{id:.+}/shares" "With whom an object is shared",
        Related(rights::VIEW_OBJECT), &[], None, 200 Some(List(of::<GrantOut>())) => objects::shares;
    post "/objects/{type}/{id:.+}/shares" "Share an object",
        Related(rights::CHANGE_OBJECT), &[], Some(of::<ShareIn>()), 201 Some(One(of::<GrantOut>())) => objects::share;
    delete "/objects/{type}/{id:.+}/shares/{share}" "Take a share back",
        Related(rights::CHANGE_OBJECT), &[], None, 204 None => objects::unshare;
    get "/objects/{type}/{id:.+}" "What is known of an object",
        Related(rights::VIEW_OBJECT), &[], None, 200 Some(One(of::<SharedOut>())) => objects::get;
    put "/objects/{type}/{id:.+}" "Tell of an object, or change owner, group and level",
        Related(rights::CHANGE_OBJECT), &[], Some(of::<ObjectIn>()), 200 Some(One(of::<SharedOut>())) => objects::put;
    delete "/objects/{type}/{id:.+}" "Forget an object and all grants on it",
        Related(rights::CHANGE_OBJECT), &[], None, 204 None => objects::remove;

    post "/check" "May this user do that, and why",
        Related(rights::CHECK_ACCESS), &[], Some(of::<CheckIn>()), 200 Some(One(of::<CheckOut>())) => check::check;
    get "/experiments" "My experiments, as the facility's user office lists them",
        LoggedIn, EXPERIMENTS_QUERY, None, 200 Some(Page(of::<ExperimentOut>())) => experiments::list;
    get "/authorization" "Whether the user office says that I may use the facility",
        LoggedIn, &[], None, 200 Some(One(of::<AuthorizationOut>())) => experiments::authorization;
    get "/outbox" "Mails that wait, were sent or were given up, newest first",
        Permission(rights::VIEW_OUTBOX), OUTBOX_QUERY, None, 200 Some(Page(of::<MailOut>())) => outbox::list;
    delete "/outbox" "Remove mails that were sent, given up or not worth sending any more",
        Permission(rights::CHANGE_OUTBOX), PURGE_QUERY, None, 200 Some(One(of::<MailCountOut>())) => outbox::purge;
    post "/outbox/retry" "Have all mails tried now that were given up",
        Permission(rights::CHANGE_OUTBOX), &[], None, 200 Some(One(of::<MailCountOut>())) => outbox::retry_dead;
    get "/outbox/{id}" "One mail, without what it says",
        Permission(rights::VIEW_OUTBOX), &[], None, 200 Some(One(of::<MailOut>())) => outbox::get;
    delete "/outbox/{id}" "Remove a mail; one that waits is then never sent",
        Permission(rights::CHANGE_OUTBOX), &[], None, 204 None => outbox::remove;
    post "/outbox/{id}/retry" "Have a mail tried now that was given up or waits",
        Permission(rights::CHANGE_OUTBOX), &[], None, 204 None => outbox::retry;
    get "/announcements" "What was told to many people by mail, newest first",
        Permission(rights::SEND_ANNOUNCEMENT), PAGED, None, 200 Some(Page(of::<AnnouncementOut>())) => announcements::list;
    post "/announcements" "Mail everybody, groups, holders of a permission or some people; goes on by itself",
        Permission(rights::SEND_ANNOUNCEMENT), &[], Some(of::<AnnouncementIn>()), 201 Some(One(of::<AnnouncementOut>())) => announcements::send;
    post "/announcements/preview" "What that would come to; nothing is sent",
        Permission(rights::SEND_ANNOUNCEMENT), &[], Some(of::<AnnouncementIn>()), 200 Some(One(of::<PreviewOut>())) => announcements::preview;
    get "/announcements/{id}" "One announcement, and how far it has got",
        Permission(rights::SEND_ANNOUNCEMENT), &[], None, 200 Some(One(of::<AnnouncementOut>())) => announcements::get;
    post "/announcements/{id}/cancel" "Take back what still waits of it",
        Permission(rights::SEND_ANNOUNCEMENT), &[], None, 200 Some(One(of::<AnnouncementOut>())) => announcements::cancel;
    get "/audit" "Who did what",
        Permission(rights::VIEW_AUDIT), AUDIT_QUERY, None, 200 Some(Page(of::<AuditOut>())) => audit::list;
};

/// Registers the API.
pub(crate) fn register(cfg: &mut actix_web::web::ServiceConfig) {
    super::table::register(ENDPOINTS, cfg);
    cfg.route("/api/openapi.json", get().to(openapi::serve));
}

//! The tables, once for all three databases. Made by `migrations/`, which a test compares.

diesel::table! {
    users (id) {
        id -> Binary,
        username -> Text,
        username_key -> Text,
        email -> Nullable<Text>,
        email_key -> Nullable<Text>,
        email_verified -> Bool,
        first_name -> Text,
        last_name -> Text,
        names_key -> Text,
        is_active -> Bool,
        is_staff -> Bool,
        is_superuser -> Bool,
        expires_at -> Nullable<BigInt>,
        created_at -> BigInt,
        last_login_at -> Nullable<BigInt>,
        password_changed_at -> Nullable<BigInt>,
        password -> Text,
        password_scheme -> Text,
    }
}

diesel::table! {
    groups (id) {
        id -> Binary,
        name -> Text,
        name_key -> Text,
        description -> Text,
        level -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    memberships (group_id, user_id) {
        group_id -> Binary,
        user_id -> Binary,
        is_manager -> Bool,
        expires_at -> Nullable<BigInt>,
        since -> BigInt,
    }
}

diesel::table! {
    membership_sources (group_id, user_id, source) {
        group_id -> Binary,
        user_id -> Binary,
        source -> Text,
    }
}

diesel::table! {
    identities (backend, subject) {
        backend -> Text,
        subject -> Text,
        user_id -> Binary,
        linked_at -> BigInt,
        used_at -> BigInt,
        groups_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    entitlements (backend, user_id) {
        backend -> Text,
        user_id -> Binary,
        at -> BigInt,
    }
}

diesel::table! {
    nestings (parent_id, child_id) {
        parent_id -> Binary,
        child_id -> Binary,
    }
}

diesel::table! {
    permissions (code) {
        code -> Text,
        description -> Text,
        service -> Text,
        object_kind -> Nullable<Text>,
        object_action -> Nullable<Text>,
        registered_at -> BigInt,
    }
}

diesel::table! {
    delete_rules (object_kind) {
        object_kind -> Text,
        delete_rule -> Text,
    }
}

diesel::table! {
    grants (id) {
        id -> Binary,
        subject_kind -> Text,
        subject_id -> Binary,
        user_id -> Nullable<Binary>,
        group_id -> Nullable<Binary>,
        permission -> Text,
        effect -> Text,
        scope_kind -> Text,
        object_kind -> Text,
        object_id -> Text,
        expires_at -> Nullable<BigInt>,
        granted_by -> Nullable<Binary>,
        granted_at -> BigInt,
    }
}

diesel::table! {
    objects (kind, id) {
        kind -> Text,
        id -> Text,
        owner_id -> Binary,
        group_id -> Nullable<Binary>,
        level -> Nullable<Text>,
        created_at -> BigInt,
    }
}

diesel::table! {
    sessions (digest) {
        digest -> Binary,
        id -> Binary,
        user_id -> Binary,
        created_at -> BigInt,
        last_seen_at -> BigInt,
        expires_at -> BigInt,
        address -> Text,
        user_agent -> Text,
        backend -> Text,
    }
}

diesel::table! {
    audit_events (id) {
        id -> Binary,
        at -> BigInt,
        actor_id -> Nullable<Binary>,
        actor -> Text,
        address -> Text,
        user_agent -> Text,
        request_id -> Binary,
        action -> Text,
        target_kind -> Text,
        target_id -> Text,
        target -> Text,
        by_right -> Text,
        details -> Text,
    }
}

diesel::table! {
    change_counter (id) {
        id -> SmallInt,
        value -> BigInt,
    }
}

diesel::table! {
    changes (number) {
        number -> BigInt,
        user_id -> Nullable<Binary>,
        at -> BigInt,
    }
}

diesel::table! {
    upstream_sessions (session_id) {
        session_id -> Binary,
        backend -> Text,
        sid -> Text,
    }
}

diesel::table! {
    backend_checks (backend, user_id) {
        backend -> Text,
        user_id -> Binary,
        checked_at -> BigInt,
        stale_since -> Nullable<BigInt>,
    }
}

diesel::table! {
    login_steps (digest) {
        digest -> Binary,
        backend -> Text,
        browser -> Nullable<Binary>,
        sealed -> Binary,
        expires_at -> BigInt,
    }
}

diesel::table! {
    tickets (digest) {
        digest -> Binary,
        purpose -> Text,
        user_id -> Nullable<Binary>,
        expires_at -> BigInt,
        subject -> Nullable<Binary>,
        email -> Nullable<Text>,
    }
}

diesel::table! {
    registrations (id) {
        id -> Binary,
        username -> Text,
        email -> Text,
        email_key -> Text,
        first_name -> Text,
        last_name -> Text,
        password -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
        confirmed_at -> Nullable<BigInt>,
        policy -> Nullable<Text>,
    }
}

diesel::table! {
    invitations (id) {
        id -> Binary,
        email -> Text,
        email_key -> Text,
        invited_by -> Nullable<Binary>,
        created_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    invitation_groups (invitation_id, group_id) {
        invitation_id -> Binary,
        group_id -> Binary,
    }
}

diesel::table! {
    consents (user_id, version) {
        user_id -> Binary,
        version -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    browsers (user_id, digest) {
        user_id -> Binary,
        digest -> Binary,
        seen_at -> BigInt,
    }
}

diesel::table! {
    outbox (id) {
        id -> Binary,
        message_id -> Text,
        recipient -> Text,
        recipient_key -> Text,
        user_id -> Nullable<Binary>,
        language -> Text,
        lane -> Text,
        place -> BigInt,
        kind -> Text,
        data -> Text,
        created_at -> BigInt,
        expires_at -> Nullable<BigInt>,
        state -> Text,
        attempts -> Integer,
        due_at -> BigInt,
        lease -> Nullable<Binary>,
        settled_at -> Nullable<BigInt>,
        reason -> Text,
        announcement_id -> Nullable<Binary>,
    }
}

diesel::table! {
    announcements (id) {
        id -> Binary,
        subject -> Text,
        text -> Text,
        audience -> Text,
        include_inactive -> Bool,
        author_id -> Nullable<Binary>,
        author -> Text,
        created_at -> BigInt,
        cancelled_at -> Nullable<BigInt>,
        unposted -> BigInt,
        without_address -> BigInt,
        left_out -> BigInt,
        sent -> BigInt,
        failed -> BigInt,
        cancelled -> BigInt,
    }
}

diesel::table! {
    announcement_batches (announcement_id, number) {
        announcement_id -> Binary,
        number -> Integer,
        people -> Binary,
    }
}

diesel::table! {
    instance_marks (name) {
        name -> Text,
        value -> Text,
    }
}

diesel::table! {
    login_failures (key_digest) {
        key_digest -> Binary,
        since -> BigInt,
        failures -> Integer,
    }
}

diesel::table! {
    import_links (source, kind, foreign_key) {
        source -> Text,
        kind -> Text,
        foreign_key -> Text,
        local_id -> Binary,
        fingerprint -> Binary,
    }
}

diesel::joinable!(memberships -> users (user_id));
diesel::allow_tables_to_appear_in_same_query!(memberships, users);
diesel::allow_tables_to_appear_in_same_query!(objects, users);
diesel::allow_tables_to_appear_in_same_query!(backend_checks, identities);
diesel::allow_tables_to_appear_in_same_query!(backend_checks, entitlements);
diesel::allow_tables_to_appear_in_same_query!(backend_checks, membership_sources);

//! The names of payloads that several mutations share the fields of.

/// The name of a mutation's payload in the schema.
pub(crate) trait PayloadName: Send + Sync + 'static {
    /// Name of the payload's GraphQL type.
    const PAYLOAD: &'static str;
}

/// Declares a type for each name, as the parameter of a payload type.
macro_rules! payload_names {
    ($($mutation:ident = $payload:literal),* $(,)?) => {$(
        #[derive(Debug)]
        pub(crate) struct $mutation;
        impl PayloadName for $mutation {
            const PAYLOAD: &'static str = $payload;
        }
    )*};
}

payload_names! {
    RejectUser = "RejectUserPayload",
    ReconsiderUser = "ReconsiderUserPayload",
    SuspendUser = "SuspendUserPayload",
    ReactivateUser = "ReactivateUserPayload",
    UpdateProfile = "UpdateProfilePayload",
    ChangeGroup = "ChangeGroupPayload",
    GrantRole = "GrantRolePayload",
    RevokeRole = "RevokeRolePayload",
    CreateUser = "CreateUserPayload",
    ApproveUser = "ApproveUserPayload",
    ResetPassword = "ResetPasswordPayload",
    CreateGroup = "CreateGroupPayload",
    EditGroup = "EditGroupPayload",
    CloseGroup = "CloseGroupPayload",
    ReopenGroup = "ReopenGroupPayload",
    AddAgentRule = "AddAgentRulePayload",
    EditAgentRule = "EditAgentRulePayload",
    CreateWebhook = "CreateWebhookPayload",
    EditWebhook = "EditWebhookPayload",
    PauseWebhook = "PauseWebhookPayload",
    ResumeWebhook = "ResumeWebhookPayload",
    RotateWebhookSecret = "RotateWebhookSecretPayload",
    ReplayWebhook = "ReplayWebhookPayload",
}

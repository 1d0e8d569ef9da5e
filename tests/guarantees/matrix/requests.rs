//! A good request to each method, about what was named.

use parlor_testkit::compose;
use parlor_tests::uploads;
use parlor_types::{DeviceId, Op};
use parlor_wire::auth::v1::get_profile_request::User;
use parlor_wire::auth::v1::*;
use parlor_wire::chat::v1::client_frame::Kind as Frame;
use parlor_wire::chat::v1::get_conversation_request::Conversation as Get;
use parlor_wire::chat::v1::list_messages_request::Conversation as List;
use parlor_wire::chat::v1::*;
use parlor_wire::media::v1::*;
use parlor_wire::presence::v1::*;
use prost::Message as _;

use crate::named::Named;

/// The encoded request; nothing for methods between services, which are not to be had at all.
///
/// # Panics
/// A method is new.
pub fn about(method: &str, named: &Named) -> Vec<u8> {
    let (service, name) = method.split_once('/').expect("a service and a method");
    match service {
        "auth.v1.AuthService" => of_sessions(name, named),
        "auth.v1.ProfileService" => of_profiles(name, named),
        "auth.v1.EmailService" => of_emails(name),
        "chat.v1.ChatService" => of_conversations(name, named),
        "chat.v1.PeopleService" => of_people(name, named),
        "media.v1.MediaService" => of_files(name, named),
        "presence.v1.PresenceService" => of_presence(name, named),
        internal if internal.starts_with("internal.") => Vec::new(),
        _ => panic!("{method} is new: what is asked of it?"),
    }
}

fn device() -> Option<Device> {
    Some(Device { device_id: DeviceId::new().to_string(), name: "test".to_owned() })
}

fn of_sessions(method: &str, named: &Named) -> Vec<u8> {
    let wrong = || "wrong horse battery staple".to_owned();
    let username = named.username.clone();
    match method {
        "Register" => {
            let op = Op::new().to_string();
            let display_name = String::new();
            RegisterRequest { op, username, password: wrong(), display_name, device: device() }
                .encode_to_vec()
        }
        "Login" => LoginRequest { username, password: wrong(), device: device() }.encode_to_vec(),
        "LoginService" => {
            let service_account_id = named.user.clone();
            LoginServiceRequest { service_account_id, secret: wrong(), device: device() }.encode_to_vec()
        }
        "Refresh" => {
            RefreshRequest { refresh_token: "x".to_owned(), op: Op::new().to_string() }.encode_to_vec()
        }
        "EndSession" => EndSessionRequest { session_id: named.session.clone() }.encode_to_vec(),
        "ChangePassword" => {
            let new_password = "another horse battery staple".to_owned();
            ChangePasswordRequest { current_password: wrong(), new_password }.encode_to_vec()
        }
        "GetJwks" | "ListSessions" | "EndOtherSessions" | "Logout" => Vec::new(),
        _ => panic!("{method} is new: what is asked of it?"),
    }
}

fn of_profiles(method: &str, named: &Named) -> Vec<u8> {
    match method {
        "GetProfile" => GetProfileRequest { user: Some(User::UserId(named.user.clone())) }.encode_to_vec(),
        "BatchGetProfiles" => BatchGetProfilesRequest { user_ids: vec![named.user.clone()] }.encode_to_vec(),
        "UpdateProfile" => {
            UpdateProfileRequest { bio: Some("Hello".to_owned()), ..Default::default() }.encode_to_vec()
        }
        "SearchUsers" => {
            SearchUsersRequest { prefix: named.username.clone(), ..Default::default() }.encode_to_vec()
        }
        _ => panic!("{method} is new: what is asked of it?"),
    }
}

fn of_emails(method: &str) -> Vec<u8> {
    let address = || "somebody@example.org".to_owned();
    match method {
        "SetEmail" => SetEmailRequest { address: address() }.encode_to_vec(),
        "ConfirmEmail" => ConfirmEmailRequest { code: "12345678".to_owned() }.encode_to_vec(),
        "FindByEmail" => FindByEmailRequest { address: address() }.encode_to_vec(),
        "SetEmailDiscoverable" => SetEmailDiscoverableRequest { discoverable: true }.encode_to_vec(),
        "GetEmail" | "RemoveEmail" => Vec::new(),
        _ => panic!("{method} is new: what is asked of it?"),
    }
}

fn of_conversations(method: &str, named: &Named) -> Vec<u8> {
    let conversation_id = named.conversation.clone();
    let hello = Hello { protocol: parlor_types::limits::PROTOCOL, ..Hello::default() };
    match method {
        "Connect" => {
            let frame = ClientFrame { kind: Some(Frame::Hello(hello)) };
            ConnectRequest { frames: vec![frame.encode_to_vec().into()] }.encode_to_vec()
        }
        "Subscribe" => SubscribeRequest { hello: Some(hello) }.encode_to_vec(),
        "Push" => {
            PushRequest { stream_id: named.stream.clone(), number: 1, frames: Vec::new() }.encode_to_vec()
        }
        "CreateConversation" => compose::direct(&named.user).encode_to_vec(),
        "Append" => compose::unary(&compose::text(&conversation_id, 1, "hello")).encode_to_vec(),
        "Fetch" => FetchRequest { conversation_id, from_seq: 1, to_seq: 0 }.encode_to_vec(),
        "ListMessages" => {
            let conversation = Some(List::ConversationId(conversation_id));
            ListMessagesRequest { conversation, ..Default::default() }.encode_to_vec()
        }
        "GetConversation" => {
            GetConversationRequest { conversation: Some(Get::ConversationId(conversation_id)) }
                .encode_to_vec()
        }
        "MarkReceived" => MarkReceivedRequest { conversation_id, seq: 1 }.encode_to_vec(),
        "MarkRead" => MarkReadRequest { conversation_id, seq: 1 }.encode_to_vec(),
        "GetReceipts" => GetReceiptsRequest { conversation_id, seq: 1 }.encode_to_vec(),
        "SetPreferences" => {
            let changes = Some(PreferenceChanges { pinned: Some(true), ..Default::default() });
            SetPreferencesRequest { conversation_id, changes }.encode_to_vec()
        }
        "ListConversations" | "Sync" | "GetBadge" => Vec::new(),
        _ => panic!("{method} is new: what is asked of it?"),
    }
}

fn of_people(method: &str, named: &Named) -> Vec<u8> {
    let user_id = named.user.clone();
    match method {
        "RequestContact" => RequestContactRequest { user_id, note: "hello".to_owned() }.encode_to_vec(),
        "AcceptContact" => AcceptContactRequest { user_id }.encode_to_vec(),
        "RemoveContact" => RemoveContactRequest { user_id }.encode_to_vec(),
        "BlockUser" => BlockUserRequest { user_id }.encode_to_vec(),
        "UnblockUser" => UnblockUserRequest { user_id }.encode_to_vec(),
        "ListPeople" | "GetPrivacy" | "SetPrivacy" => Vec::new(),
        _ => panic!("{method} is new: what is asked of it?"),
    }
}

fn of_files(method: &str, named: &Named) -> Vec<u8> {
    let media_id = named.file.clone();
    match method {
        "CreateUpload" => uploads::beginning("a.txt", Purpose::File, b"a").encode_to_vec(),
        "UploadPart" => {
            UploadPartRequest { media_id, offset: 0, data: b"dear diary".as_slice().into() }.encode_to_vec()
        }
        "GetUpload" => GetUploadRequest { media_id }.encode_to_vec(),
        "FinishUpload" => FinishUploadRequest { media_id }.encode_to_vec(),
        "GetMedia" => GetMediaRequest { media_id }.encode_to_vec(),
        "Download" => DownloadRequest { media_id, variant: Variant::Original.into(), ..Default::default() }
            .encode_to_vec(),
        "BatchGetMediaUrls" => {
            let item = MediaVariant { media_id, variant: Variant::Original.into() };
            BatchGetMediaUrlsRequest { items: vec![item] }.encode_to_vec()
        }
        "DeleteMedia" => DeleteMediaRequest { media_id }.encode_to_vec(),
        "GetUsage" => Vec::new(),
        _ => panic!("{method} is new: what is asked of it?"),
    }
}

fn of_presence(method: &str, named: &Named) -> Vec<u8> {
    let user_ids = vec![named.user.clone()];
    match method {
        "BatchGetPresence" => BatchGetPresenceRequest { user_ids }.encode_to_vec(),
        "Watch" => WatchRequest { user_ids }.encode_to_vec(),
        "SetStatus" | "GetStatus" => Vec::new(),
        _ => panic!("{method} is new: what is asked of it?"),
    }
}

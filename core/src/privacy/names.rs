//! Which names stand for secrets: judged by their words, so that `accessToken` and `x-api-key` do and
//! `tokens_used`, `author` and `token_type` do not.
//!
//! A name is sensitive by its last noun (`password`, `secret`, `api key` ...), unless a word behind it makes it
//! something *about* the secret (`password_strength`, `token_count`, `secret_arn`) or the word before it
//! something else altogether (`next_token`, `has_password`).

use super::label::Label;
use super::words::Words;

/// What a name says of the value that it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Plain,
    /// The value is a secret, whatever it is.
    Secret(Label),
    /// The value is a secret if it looks like one: the name also has harmless meanings.
    Maybe(Label, Doubt),
    /// A group: some names have a meaning inside it that they do not have elsewhere.
    Group(Group),
    /// The application wants the value left as it is.
    Allowed,
}

/// What a doubtful name's value must be to count as a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Digits, four to ten (`pin`, `otp`).
    Digits,
    /// Text that is no plain word and no number (`pass`, `auth`).
    Text,
}

/// Where a name stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Group {
    /// In nothing special.
    #[default]
    None,
    /// Under `tokens`: `access`, `refresh` and `id` are tokens there.
    Tokens,
    /// Under `auth` and the like.
    Auth,
    /// Under `card`, `payment`: `number` and `code` are the card's.
    Card,
}

/// Judges a name that stands in some group.
pub(super) fn judge(words: &Words, within: Group) -> Verdict {
    if let Some(label) = in_group(words, within) {
        return Verdict::Secret(label);
    }
    let Some((at, verdict)) = (0..words.len()).rev().find_map(|at| Some((at, noun(words, at)?))) else {
        return group(words).map_or(Verdict::Plain, Verdict::Group);
    };
    if (at + 1..words.len()).any(|after| is_about(words.get(after))) && !is_access_key_id(words, at) {
        return Verdict::Plain;
    }
    let before = words.before(at);
    if is_no_value(words.get(0)) && at > 0 || is_no_value(before) {
        return Verdict::Plain;
    }
    verdict
}

/// The secret that the word at that place names, together with the words before it.
#[rustfmt::skip]
fn noun(words: &Words, at: usize) -> Option<Verdict> {
    let word = words.get(at);
    let before = words.before(at);
    let secret = Verdict::Secret;
    Some(match word {
        b"password" | b"passwords" | b"passwd" | b"pwd" | b"pwds" | b"passphrase" | b"passphrases"
        | b"passcode" | b"passcodes" | b"passwort" | b"kennwort" => secret(Label::PASSWORD),
        b"secret" | b"secrets" | b"clientsecret" => secret(Label::SECRET),
        b"credential" | b"credentials" | b"creds" => secret(Label::CREDENTIAL),
        b"authorization" | b"authorisation" | b"bearer" | b"bearertoken" => secret(Label::AUTHORIZATION),
        b"cookie" | b"cookies" | b"jsessionid" | b"phpsessid" => secret(Label::COOKIE),
        b"jwt" | b"jwts" => secret(Label::JWT),
        b"ssn" => secret(Label::SSN),
        b"cvv" | b"cvc" => secret(Label::SECURITY_CODE),
        b"apikey" | b"apikeys" | b"accesskey" | b"accesskeys" => secret(Label::API_KEY),
        b"privatekey" => secret(Label::PRIVATE_KEY),
        b"secretkey" | b"signingkey" | b"encryptionkey" | b"masterkey" => secret(Label::KEY),
        b"mnemonic" => secret(Label::SECRET),
        b"signature" if matches!(before, b"amz" | b"goog") => secret(Label::SIGNATURE),
        b"token" if is_other_token(before) => return None,
        b"token" => secret(Label::TOKEN),
        b"tokens" if is_credential_token(before) => secret(Label::TOKEN),
        b"key" | b"keys" => secret(key_of(before)?),
        b"otp" | b"totp" => Verdict::Maybe(Label::CODE, Doubt::Digits),
        b"pin" => Verdict::Maybe(Label::PIN, Doubt::Digits),
        b"pass" if is_owner(before) => secret(Label::PASSWORD),
        b"pass" => Verdict::Maybe(Label::PASSWORD, Doubt::Text),
        b"auth" => Verdict::Maybe(Label::AUTHORIZATION, Doubt::Text),
        b"number" | b"no" | b"num" if matches!(before, b"card" | b"cc") => secret(Label::CARD_NUMBER),
        b"number" | b"no" if before == b"security" && at >= 2 && words.get(at - 2) == b"social" => {
            secret(Label::SSN)
        }
        b"security" if before == b"social" => secret(Label::SSN),
        b"card" if matches!(before, b"credit" | b"debit") => secret(Label::CARD_NUMBER),
        b"creditcard" | b"cardnumber" | b"ccnumber" | b"ccnum" => secret(Label::CARD_NUMBER),
        b"code" if matches!(before, b"security" | b"card") => {
            Verdict::Maybe(Label::SECURITY_CODE, Doubt::Digits)
        }
        b"code" | b"codes" if matches!(before, b"recovery" | b"backup" | b"mfa" | b"otp") => {
            secret(Label::CODE)
        }
        b"phrase" if matches!(before, b"seed" | b"recovery" | b"secret" | b"pass" | b"backup") => {
            secret(Label::SECRET)
        }
        _ => secret(compound(word)?),
    })
}

/// A secret's name run together with other words in lower or upper case: `pgpassword`, `accesstoken`.
fn compound(word: &[u8]) -> Option<Label> {
    if word.len() < 6 || matches!(word, b"passwordless" | b"monkey" | b"turkey" | b"hotkey" | b"hockey") {
        return None;
    }
    let holds = |part: &[u8]| word.windows(part.len()).any(|window| window == part);
    if holds(b"password") || holds(b"passwd") || word.ends_with(b"passphrase") || word.ends_with(b"pwd") {
        return Some(Label::PASSWORD);
    }
    if word.ends_with(b"secret") {
        return Some(Label::SECRET);
    }
    if let Some(owner) = word.strip_suffix(b"token") {
        let other = ["page", "next", "cursor", "stop", "end", "start", "pad", "continuation", "sync"];
        return (!other.iter().any(|other| owner.ends_with(other.as_bytes()))).then_some(Label::TOKEN);
    }
    let owner = word.strip_suffix(b"key").or_else(|| word.strip_suffix(b"keys"))?;
    let owners: [(&[u8], Label); 9] = [
        (b"api", Label::API_KEY),
        (b"access", Label::API_KEY),
        (b"private", Label::PRIVATE_KEY),
        (b"secret", Label::KEY),
        (b"signing", Label::KEY),
        (b"encryption", Label::KEY),
        (b"account", Label::KEY),
        (b"master", Label::KEY),
        (b"subscription", Label::API_KEY),
    ];
    owners.iter().find(|(end, _)| owner.ends_with(end)).map(|(_, label)| *label)
}

/// Whose key it is that makes it a secret. A key alone is none, nor is a primary or public one.
#[rustfmt::skip]
fn key_of(owner: &[u8]) -> Option<Label> {
    Some(match owner {
        b"api" | b"access" | b"app" | b"application" | b"subscription" | b"integration" | b"functions"
        | b"function" | b"openai" | b"anthropic" | b"gemini" | b"groq" | b"mistral" | b"cohere"
        | b"stripe" | b"sendgrid" | b"mailgun" | b"twilio" | b"azure" | b"aws" | b"license" | b"licence"
        | b"consumer" | b"client" | b"server" | b"write" => Label::API_KEY,
        b"private" | b"ssh" | b"rsa" | b"dsa" | b"ecdsa" | b"ed" | b"pgp" | b"gpg" | b"pem" | b"tls"
        | b"ssl" | b"deploy" | b"host" => Label::PRIVATE_KEY,
        b"secret" | b"signing" | b"signature" | b"encryption" | b"decryption" | b"encrypt" | b"crypto"
        | b"account" | b"master" | b"shared" | b"service" | b"auth" | b"storage" | b"session"
        | b"webhook" | b"root" | b"admin" | b"hmac" | b"aes" | b"symmetric" | b"jwt" | b"token"
        | b"cipher" | b"recovery" => Label::KEY,
        _ => return None,
    })
}

/// `access key id` names one half of a credential, and is kept out of sight as a whole.
fn is_access_key_id(words: &Words, at: usize) -> bool {
    matches!(words.get(at), b"key" | b"accesskey")
        && (words.before(at) == b"access" || words.get(at) == b"accesskey")
        && words.get(at + 1) == b"id"
        && words.len() == at + 2
}

/// Whose `pass` is a password for sure.
#[rustfmt::skip]
fn is_owner(word: &[u8]) -> bool {
    matches!(
        word,
        b"user" | b"db" | b"database" | b"smtp" | b"mail" | b"email" | b"admin" | b"root" | b"mysql"
            | b"postgres" | b"pg" | b"redis" | b"ftp" | b"sftp" | b"ldap" | b"login" | b"basic" | b"proxy"
            | b"http" | b"auth" | b"key" | b"cert" | b"sudo" | b"my"
    )
}

/// Tokens in the plural are text units, unless they are these.
#[rustfmt::skip]
fn is_credential_token(word: &[u8]) -> bool {
    matches!(
        word,
        b"access" | b"refresh" | b"auth" | b"oauth" | b"api" | b"bearer" | b"secret" | b"session" | b"csrf"
            | b"xsrf" | b"push" | b"device" | b"personal" | b"security" | b"jwt" | b"id" | b"bot"
    )
}

/// A token that is a place in a list, or a piece of text.
#[rustfmt::skip]
pub(super) fn is_other_token(before: &[u8]) -> bool {
    matches!(
        before,
        b"next" | b"prev" | b"previous" | b"page" | b"continuation" | b"pagination" | b"cursor" | b"sync"
            | b"delta" | b"resume" | b"start" | b"stop" | b"end" | b"eos" | b"bos" | b"eot" | b"pad"
            | b"unk" | b"mask" | b"sep" | b"cls" | b"first" | b"last" | b"special" | b"per" | b"each"
            | b"every" | b"input" | b"output" | b"prompt" | b"completion" | b"cached" | b"cache" | b"total"
            | b"reasoning" | b"audio" | b"text" | b"image" | b"video" | b"vocab" | b"vocabulary"
            | b"unexpected" | b"illegal" | b"single" | b"avg" | b"average" | b"mean" | b"generated"
            | b"predicted" | b"draft" | b"lookahead" | b"max" | b"min" | b"num" | b"word" | b"sentence"
            | b"design" | b"thinking" | b"stream"
    )
}

/// A word behind the noun that makes the name one of something about the secret.
#[rustfmt::skip]
fn is_about(word: &[u8]) -> bool {
    matches!(
        word,
        // How many, how long, how good.
        b"count" | b"counts" | b"counter" | b"used" | b"usage" | b"uses" | b"limit" | b"limits" | b"limiter"
            | b"max" | b"maximum" | b"min" | b"minimum" | b"total" | b"totals" | b"budget" | b"quota" | b"length"
            | b"len" | b"size" | b"sizes" | b"strength" | b"score" | b"per" | b"rate" | b"cost" | b"costs"
            | b"price" | b"prices" | b"pricing" | b"window" | b"remaining" | b"bucket" | b"buckets" | b"stats"
            | b"statistics" | b"metrics" | b"details" | b"breakdown" | b"savings" | b"prob" | b"probs"
            | b"probability" | b"logprob" | b"logprobs" | b"embedding" | b"embeddings" | b"classification"
            | b"attempt" | b"attempts" | b"retries" | b"number" | b"rotation" | b"throughput" | b"distribution"
            // When.
            | b"expiry" | b"expire" | b"expires" | b"expired" | b"expiration" | b"expiring" | b"ttl" | b"age"
            | b"lifetime" | b"created" | b"updated" | b"modified" | b"issued" | b"at" | b"on" | b"date" | b"time"
            | b"timestamp" | b"timeout" | b"duration" | b"latency" | b"ms" | b"seconds" | b"minutes" | b"hours"
            | b"days" | b"rotated" | b"last"
            // What kind, whose, where.
            | b"type" | b"types" | b"kind" | b"kinds" | b"name" | b"names" | b"id" | b"ids" | b"identifier"
            | b"uuid" | b"guid" | b"url" | b"urls" | b"uri" | b"uris" | b"endpoint" | b"endpoints" | b"path"
            | b"paths" | b"file" | b"files" | b"filename" | b"dir" | b"directory" | b"folder" | b"location"
            | b"arn" | b"ref" | b"refs" | b"reference" | b"references" | b"provider" | b"providers" | b"source"
            | b"sources" | b"manager" | b"managers" | b"issuer" | b"audience" | b"realm" | b"scope" | b"scopes"
            | b"scheme" | b"schemes" | b"method" | b"methods" | b"mode" | b"alg" | b"algs" | b"algorithm"
            | b"algorithms" | b"format" | b"formats" | b"prefix" | b"suffix" | b"fingerprint" | b"version"
            | b"versions" | b"index" | b"indices" | b"offset" | b"position" | b"role" | b"roles" | b"env"
            | b"var" | b"variable" | b"variables" | b"flow" | b"supported" | b"domain" | b"domains" | b"server"
            | b"schema" | b"config" | b"configuration" | b"options" | b"settings" | b"setting" | b"preferences"
            // The source file that is called so.
            | b"js" | b"ts" | b"tsx" | b"py" | b"rs" | b"go" | b"java" | b"rb" | b"php" | b"cs" | b"kt"
            | b"swift" | b"html" | b"css"
            // Whether.
            | b"status" | b"state" | b"valid" | b"validity" | b"validated" | b"validation" | b"validator"
            | b"verified" | b"verifier" | b"enabled" | b"disabled" | b"required" | b"present" | b"exists" | b"set"
            | b"configured" | b"changed" | b"change" | b"reset" | b"resets" | b"forgot" | b"failure" | b"failures"
            | b"failed" | b"error" | b"errors" | b"mismatch" | b"missing" | b"invalid" | b"visible"
            | b"visibility" | b"hidden" | b"shown" | b"consent" | b"banner" | b"secure" | b"httponly"
            | b"samesite" | b"supports" | b"protected" | b"optional" | b"revoked" | b"leaked"
            // What is said of it.
            | b"policy" | b"policies" | b"rule" | b"rules" | b"requirement" | b"requirements" | b"pattern"
            | b"patterns" | b"regex" | b"field" | b"fields" | b"label" | b"placeholder" | b"prompt" | b"message"
            | b"messages" | b"title" | b"description" | b"desc" | b"autocomplete" | b"instructions"
    )
}

/// A first word, or one right before the noun, behind which no value of a secret stands: a question of yes or
/// no, or an error.
#[rustfmt::skip]
pub(super) fn is_no_value(word: &[u8]) -> bool {
    matches!(
        word,
        b"is" | b"has" | b"have" | b"had" | b"was" | b"use" | b"uses" | b"using" | b"show" | b"shows"
            | b"hide" | b"hides" | b"enable" | b"enables" | b"disable" | b"disables" | b"require"
            | b"requires" | b"required" | b"need" | b"needs" | b"allow" | b"allows" | b"can" | b"should"
            | b"without" | b"no" | b"missing" | b"invalid" | b"incorrect" | b"wrong" | b"bad" | b"unknown"
            | b"forgot" | b"forgotten" | b"lost" | b"support" | b"supports" | b"remember" | b"max" | b"min"
            | b"num" | b"unexpected"
    )
}

/// What names mean inside a group only.
fn in_group(words: &Words, within: Group) -> Option<Label> {
    if words.len() == 0 || words.len() > 2 {
        return None;
    }
    let word = words.get(0);
    match within {
        Group::None => None,
        Group::Tokens if words.len() == 1 => {
            matches!(word, b"access" | b"refresh" | b"id" | b"auth" | b"bearer" | b"session" | b"value")
                .then_some(Label::TOKEN)
        }
        Group::Auth if words.len() == 1 => {
            matches!(word, b"pass" | b"key" | b"value" | b"bearer" | b"basic").then_some(Label::CREDENTIAL)
        }
        Group::Card => match word {
            b"number" | b"pan" | b"num" | b"no" if words.len() == 1 => Some(Label::CARD_NUMBER),
            b"code" | b"csc" if words.len() == 1 => Some(Label::SECURITY_CODE),
            _ => None,
        },
        Group::Tokens | Group::Auth => None,
    }
}

fn group(words: &Words) -> Option<Group> {
    Some(match words.get(words.len().wrapping_sub(1)) {
        b"tokens" => Group::Tokens,
        b"oauth" | b"authentication" => Group::Auth,
        b"card" => Group::Card,
        _ => return None,
    })
}

//! Names that the GenAI conventions had once, and other names of providers, translated on the way out.

use std::borrow::Cow;

/// What becomes of the value of a renamed key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// Stays as it is.
    None,
    /// The name of a provider.
    Provider,
    /// One text becomes a list.
    List,
    /// A format of OpenAI's becomes a type of output.
    OutputType,
    /// Text of a prompt, or messages.
    Input,
    /// Text of an answer, or messages.
    Output,
}

/// Keys of older versions of the conventions and of libraries that were ahead of them.
pub(crate) const RENAMED: &[(&str, &str, Change)] = &[
    ("gen_ai.system", "gen_ai.provider.name", Change::Provider),
    ("gen_ai.prompt", "gen_ai.input.messages", Change::Input),
    ("gen_ai.completion", "gen_ai.output.messages", Change::Output),
    ("gen_ai.usage.prompt_tokens", "gen_ai.usage.input_tokens", Change::None),
    ("gen_ai.usage.completion_tokens", "gen_ai.usage.output_tokens", Change::None),
    ("gen_ai.usage.cache_read_input_tokens", "gen_ai.usage.cache_read.input_tokens", Change::None),
    ("gen_ai.usage.cache_creation_input_tokens", "gen_ai.usage.cache_write.input_tokens", Change::None),
    ("gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_write.input_tokens", Change::None),
    ("gen_ai.usage.reasoning_tokens", "gen_ai.usage.reasoning.output_tokens", Change::None),
    ("gen_ai.usage.audio_input_tokens", "gen_ai.usage.audio.input_tokens", Change::None),
    ("gen_ai.usage.audio_output_tokens", "gen_ai.usage.audio.output_tokens", Change::None),
    ("gen_ai.response.finish_reason", "gen_ai.response.finish_reasons", Change::List),
    ("gen_ai.openai.request.response_format", "gen_ai.output.type", Change::OutputType),
    ("gen_ai.openai.request.seed", "gen_ai.request.seed", Change::None),
    ("gen_ai.openai.request.service_tier", "openai.request.service_tier", Change::None),
    ("gen_ai.openai.response.service_tier", "openai.response.service_tier", Change::None),
    ("gen_ai.openai.response.system_fingerprint", "openai.response.system_fingerprint", Change::None),
];

/// The newest name of a key, if it has an older one.
pub(crate) fn renamed(key: &[u8]) -> Option<(&'static str, Change)> {
    // Every one of them begins so; nearly no other key does.
    if !key.starts_with(b"gen_ai.") {
        return None;
    }
    RENAMED.iter().find(|(old, ..)| old.as_bytes() == key).map(|(_, new, change)| (*new, *change))
}

/// What providers are called elsewhere, in lower case with underscores, and what the conventions call them.
pub(crate) const PROVIDERS: &[(&str, &str)] = &[
    ("openai", "openai"),
    ("anthropic", "anthropic"),
    ("claude", "anthropic"),
    ("aws.bedrock", "aws.bedrock"),
    ("aws_bedrock", "aws.bedrock"),
    ("amazon_bedrock", "aws.bedrock"),
    ("bedrock", "aws.bedrock"),
    ("amazon", "aws.bedrock"),
    ("aws", "aws.bedrock"),
    ("azure.ai.openai", "azure.ai.openai"),
    ("az.ai.openai", "azure.ai.openai"),
    ("azure_openai", "azure.ai.openai"),
    ("azure", "azure.ai.openai"),
    ("azure.ai.inference", "azure.ai.inference"),
    ("az.ai.inference", "azure.ai.inference"),
    ("azure_ai_inference", "azure.ai.inference"),
    ("azure_ai", "azure.ai.inference"),
    ("gcp.gemini", "gcp.gemini"),
    ("google.generative_ai", "gcp.gemini"),
    ("google_generative_ai", "gcp.gemini"),
    ("gemini", "gcp.gemini"),
    ("google", "gcp.gemini"),
    ("gcp.vertex_ai", "gcp.vertex_ai"),
    ("google.vertex", "gcp.vertex_ai"),
    ("google_vertex", "gcp.vertex_ai"),
    ("vertex_ai", "gcp.vertex_ai"),
    ("vertexai", "gcp.vertex_ai"),
    ("vertex", "gcp.vertex_ai"),
    ("gcp.gen_ai", "gcp.gen_ai"),
    ("google_genai", "gcp.gen_ai"),
    ("cohere", "cohere"),
    ("mistral_ai", "mistral_ai"),
    ("mistralai", "mistral_ai"),
    ("mistral", "mistral_ai"),
    ("groq", "groq"),
    ("deepseek", "deepseek"),
    ("perplexity", "perplexity"),
    ("x_ai", "x_ai"),
    ("x.ai", "x_ai"),
    ("xai", "x_ai"),
    ("ibm.watsonx.ai", "ibm.watsonx.ai"),
    ("watsonx", "ibm.watsonx.ai"),
    ("moonshot_ai", "moonshot_ai"),
    ("moonshotai", "moonshot_ai"),
    ("moonshot", "moonshot_ai"),
];

/// What the conventions call a provider. Libraries append their interface (`openai.chat`), which is left
/// out; a provider that nobody lists stays as it is, in lower case.
pub(crate) fn provider(given: &str) -> Cow<'static, str> {
    let plain = given.trim().to_ascii_lowercase();
    let spelled = plain.replace(['-', ' '], "_");
    let mut name = spelled.as_str();
    loop {
        if let Some((_, known)) = PROVIDERS.iter().find(|(alias, _)| *alias == name) {
            return Cow::Borrowed(*known);
        }
        match name.rsplit_once('.') {
            Some((front, _)) => name = front,
            None => return Cow::Owned(plain),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_are_known_by_many_names() {
        for (given, expected) in [
            ("OpenAI", "openai"),
            ("openai.chat", "openai"),
            ("azure-openai.responses", "azure.ai.openai"),
            ("google.vertex.chat", "gcp.vertex_ai"),
            ("google.generative-ai", "gcp.gemini"),
            ("amazon-bedrock", "aws.bedrock"),
            ("My-Provider.v2", "my-provider.v2"),
        ] {
            assert_eq!(provider(given), expected, "{given}");
        }
        assert!(PROVIDERS.iter().all(|(_, known)| PROVIDERS.contains(&(*known, *known))));
    }

    #[test]
    fn no_name_is_renamed_twice() {
        for (_, new, _) in RENAMED {
            assert_eq!(renamed(new.as_bytes()), None, "{new}");
        }
    }
}

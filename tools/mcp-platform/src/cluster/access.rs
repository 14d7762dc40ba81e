//! Asks the API server what we may do (`SelfSubjectAccessReview`), one question a verb.

use futures::{StreamExt as _, stream};
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::Client;
use kube::api::{Api, PostParams};

use crate::backend::kubernetes::answer::ask;
use crate::error::Result;

use super::rights::{COUNTED, RIGHTS};

/// Questions asked at the same time.
const AT_ONCE: usize = 16;

/// Which verbs on which resources are missing in a namespace, as `verb resource.group`.
///
/// # Errors
/// The API server does not answer the question.
pub async fn missing(client: &Client, namespace: &str) -> Result<Vec<String>> {
    let counted = COUNTED
        .iter()
        .map(|(group, resource)| (*group, *resource, "list"));
    let questions: Vec<(&str, &str, &str)> = RIGHTS
        .iter()
        .flat_map(|right| {
            right.resources.iter().flat_map(move |resource| {
                right
                    .verbs
                    .iter()
                    .map(move |verb| (right.group, *resource, *verb))
            })
        })
        .chain(counted)
        .collect();
    let answers: Vec<Result<Option<String>>> = stream::iter(questions)
        .map(|question| may(client, namespace, question))
        .buffered(AT_ONCE)
        .collect()
        .await;
    Ok(answers
        .into_iter()
        .collect::<Result<Vec<_>>>()?
        .into_iter()
        .flatten()
        .collect())
}

/// None when it may be done, else what may not.
async fn may(
    client: &Client,
    namespace: &str,
    (group, resource, verb): (&str, &str, &str),
) -> Result<Option<String>> {
    let (name, subresource) = match resource.split_once('/') {
        Some((name, subresource)) => (name, Some(subresource.to_owned())),
        None => (resource, None),
    };
    let question = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                group: Some(group.to_owned()),
                namespace: Some(namespace.to_owned()),
                resource: Some(name.to_owned()),
                subresource,
                verb: Some(verb.to_owned()),
                ..ResourceAttributes::default()
            }),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let api: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let answer = ask(
        "ask what we may do (SelfSubjectAccessReview)",
        api.create(&PostParams::default(), &question),
    )
    .await?;
    if answer.status.is_some_and(|status| status.allowed) {
        return Ok(None);
    }
    let group = if group.is_empty() {
        String::new()
    } else {
        format!(".{group}")
    };
    Ok(Some(format!("{verb} {resource}{group}")))
}

//! Hooks into the library: checks variables, arguments and cost before execution, and notes when that begins.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextParseQuery, NextValidation,
};
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Response, ServerError, ServerResult, ValidationResult, Variables};

use super::{cost, document, usages, variables};
use crate::error::{TOO_COMPLEX, server_error};

/// The operation that a request names, and whether its execution has begun. Part of the request's data.
#[derive(Debug, Default)]
pub(crate) struct ExecutionProgress {
    operation_name: Option<String>,
    has_begun: AtomicBool,
}

impl ExecutionProgress {
    pub(crate) fn new(operation_name: Option<&str>) -> Self {
        Self { operation_name: operation_name.map(str::to_owned), has_begun: AtomicBool::new(false) }
    }

    /// Whether execution has begun. If not, the answer has no data and nothing was done.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Acquire)
    }
}

/// The limits of a document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guard {
    pub(crate) depth: usize,
    pub(crate) complexity: usize,
}

impl ExtensionFactory for Guard {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(*self)
    }
}

#[async_trait::async_trait]
impl Extension for Guard {
    async fn parse_query(
        &self,
        ctx: &ExtensionContext<'_>,
        query: &str,
        variables: &Variables,
        next: NextParseQuery<'_>,
    ) -> ServerResult<ExecutableDocument> {
        let document = next.run(ctx, query, variables).await?;
        let name =
            ctx.data_opt::<Arc<ExecutionProgress>>().and_then(|progress| progress.operation_name.as_deref());
        let operation = document::operation(&document, name).map_err(|error| error.to_server_error())?;
        variables::check(&ctx.schema_env.registry, operation, variables)?;
        usages::check(&ctx.schema_env.registry, &document, operation, variables)?;
        let cost = cost::of(&document, operation, variables);
        if cost > self.complexity {
            let message = "The document asks for too much; ask for shorter pages.";
            return Err(over_limit(message, "cost", cost, self.complexity));
        }
        Ok(document)
    }

    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let result = next.run(ctx).await?;
        if result.depth > self.depth {
            return Err(vec![over_limit(
                "The document is nested too deep.",
                "depth",
                result.depth,
                self.depth,
            )]);
        }
        Ok(result)
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        if let Some(progress) = ctx.data_opt::<Arc<ExecutionProgress>>() {
            progress.has_begun.store(true, Ordering::Release);
        }
        next.run(ctx, operation_name).await
    }
}

/// The error of a document beyond a limit. Its extensions say how far, so that a caller knows what to leave out.
fn over_limit(message: &'static str, what: &str, found: usize, limit: usize) -> ServerError {
    let mut error = server_error(TOO_COMPLEX, message);
    let extensions = error.extensions.get_or_insert_default();
    extensions.set(what, found);
    extensions.set("limit", limit);
    error
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
    use serde_json::json;

    use super::*;

    struct Query;

    #[Object]
    impl Query {
        async fn same(&self) -> Query {
            Query
        }
    }

    async fn refused(limits: Guard, query: &str) -> serde_json::Value {
        let schema = Schema::build(Query, EmptyMutation, EmptySubscription).extension(limits).finish();
        serde_json::to_value(&schema.execute(query).await.errors[0].extensions).unwrap()
    }

    #[tokio::test]
    async fn f36_an_error_says_how_far_a_document_is_beyond_a_limit() {
        let query = "{ same { same { same { __typename } } } }";
        assert_eq!(
            refused(Guard { depth: 10, complexity: 2 }, query).await,
            json!({ "code": "QUERY_TOO_COMPLEX", "cost": 3, "limit": 2 })
        );
        let deep = refused(Guard { depth: 2, complexity: 9 }, query).await;
        assert_eq!((&deep["code"], &deep["limit"]), (&json!("QUERY_TOO_COMPLEX"), &json!(2)));
    }
}

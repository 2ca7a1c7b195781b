//! Relay connections: pages of a list in both directions, with a cursor for each row.

use std::borrow::Cow;

use async_graphql::{Context, Object, OutputType, SimpleObject, TypeName};
use read_model::{Count, Page, Window};
use tokio::sync::OnceCell;

use super::context::gateway;
use super::counted::WholeList;
use super::scalar::int;
use crate::error::ApiError;

/// Rows of a page unless the caller says how many.
const DEFAULT: u32 = 50;
/// Most rows of a page.
const MOST: i32 = 100;

/// A type that is listed, and the names of its list types.
pub(crate) trait Listed: OutputType + 'static {
    /// Name of the connection's GraphQL type.
    const CONNECTION: &'static str;
    /// Name of the edge's GraphQL type.
    const EDGE: &'static str;
}

/// Part of a list.
pub(crate) struct Connection<N> {
    edges: Vec<Edge<N>>,
    page_info: PageInfo,
    whole: WholeList,
    /// The length of the whole list, once somebody has asked.
    count: OnceCell<Count>,
}

/// A row of a list.
pub(crate) struct Edge<N> {
    cursor: String,
    node: N,
}

/// Where a page stands in its list.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
pub(crate) struct PageInfo {
    /// Whether there are rows behind this page.
    has_next_page: bool,
    /// Whether there are rows ahead of this page.
    has_previous_page: bool,
    /// Cursor of the first row, or where looking for rows was given up for this page; null when there is none.
    start_cursor: Option<String>,
    /// Cursor of the last row, or where looking for rows was given up for this page; null when there is none.
    end_cursor: Option<String>,
}

impl<N> Connection<N> {
    /// The answer for a page of the views.
    pub(crate) fn new<R>(page: Page<R>, whole: WholeList, node: impl Fn(R) -> N) -> Self {
        let page_info = PageInfo {
            has_next_page: page.has_next,
            has_previous_page: page.has_previous,
            start_cursor: page.start,
            end_cursor: page.end,
        };
        let edges =
            page.edges.into_iter().map(|edge| Edge { cursor: edge.cursor, node: node(edge.row) }).collect();
        Self { edges, page_info, whole, count: OnceCell::new() }
    }

    /// An empty list.
    pub(crate) fn empty() -> Self {
        let page_info =
            PageInfo { has_next_page: false, has_previous_page: false, start_cursor: None, end_cursor: None };
        Self { edges: Vec::new(), page_info, whole: WholeList::Counted(0), count: OnceCell::new() }
    }

    async fn count(&self, ctx: &Context<'_>) -> Result<Count, ApiError> {
        self.count.get_or_try_init(|| self.whole.count(&gateway(ctx).views)).await.copied()
    }
}

/// Part of a list.
#[Object(name_type)]
impl<N: Listed> Connection<N> {
    /// The rows, each with its cursor.
    async fn edges(&self) -> &[Edge<N>] {
        &self.edges
    }

    /// The rows alone.
    async fn nodes(&self) -> Vec<&N> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }

    /// Where this page stands in the list.
    async fn page_info(&self) -> &PageInfo {
        &self.page_info
    }

    /// How many rows the whole list has. It is exact unless `totalCountCapped` says that counting stopped, at 10,000 or before.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i32, ApiError> {
        Ok(int(self.count(ctx).await?.n))
    }

    /// Whether counting stopped before the end.
    async fn total_count_capped(&self, ctx: &Context<'_>) -> Result<bool, ApiError> {
        Ok(self.count(ctx).await?.capped)
    }
}

/// A row of a list.
#[Object(name_type)]
impl<N: Listed> Edge<N> {
    /// Opaque: the place of the row in this list, for `after` and `before`.
    async fn cursor(&self) -> &str {
        &self.cursor
    }

    /// The row.
    async fn node(&self) -> &N {
        &self.node
    }
}

impl<N: Listed> TypeName for Connection<N> {
    fn type_name() -> Cow<'static, str> {
        N::CONNECTION.into()
    }
}

impl<N: Listed> TypeName for Edge<N> {
    fn type_name() -> Cow<'static, str> {
        N::EDGE.into()
    }
}

/// The part of a list that Relay's arguments ask for.
pub(crate) fn window(
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
) -> Result<Window, ApiError> {
    let size = |size: i32| {
        u32::try_from(size)
            .ok()
            .filter(|_| size <= MOST)
            .ok_or(ApiError::BadRequest("`first` and `last` are numbers from 0 to 100."))
    };
    let (size, from_end) = match (first, last) {
        (Some(_), Some(_)) => return Err(ApiError::BadRequest("Give `first` or `last`, not both.")),
        (Some(first), None) => (size(first)?, false),
        (None, Some(last)) => (size(last)?, true),
        (None, None) => (DEFAULT, false),
    };
    Ok(Window { size, from_end, after, before })
}

/// The cost of a list in fields: that of one row, for each row of the page.
pub(crate) fn cost(first: Option<i32>, last: Option<i32>, row: usize) -> usize {
    let default = i32::try_from(DEFAULT).unwrap_or(MOST);
    let rows = first.or(last).unwrap_or(default).clamp(1, MOST);
    usize::try_from(rows).unwrap_or(1).saturating_mul(row).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_fifty_rows_unless_the_caller_says_otherwise() {
        assert_eq!(window(None, None, None, None), Ok(Window::first(50, None)));
        assert_eq!(window(Some(100), Some("c".into()), None, None), Ok(Window::first(100, Some("c".into()))));
        assert_eq!(window(None, None, Some(3), Some("c".into())), Ok(Window::last(3, Some("c".into()))));
    }

    #[test]
    fn what_makes_no_page_is_a_bad_request() {
        for (first, last) in [(Some(101), None), (Some(-1), None), (None, Some(101)), (Some(1), Some(1))] {
            assert!(
                matches!(window(first, None, last, None), Err(ApiError::BadRequest(_))),
                "{first:?} {last:?}"
            );
        }
    }

    #[test]
    fn a_list_costs_its_rows() {
        assert_eq!(cost(None, None, 4), 201);
        assert_eq!(cost(Some(10), None, 4), 41);
        assert_eq!(cost(None, Some(100_000), 4), 401);
    }
}

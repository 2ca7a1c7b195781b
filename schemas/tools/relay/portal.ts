// Components as Relay's compiler reads them: a page that is refetched, a fragment of a node, changes of the list.
import { graphql } from "relay-runtime";

export const page = graphql`
  query portalPageQuery($count: Int!) {
    ...portalUsers_query @arguments(count: $count)
    viewer {
      id
      ...portalUser_user
    }
  }
`;

export const users = graphql`
  fragment portalUsers_query on Query
  @refetchable(queryName: "portalUsersAgainQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" }, filter: { type: "UserFilter" }) {
    users(first: $count, after: $cursor, filter: $filter) @connection(key: "portalUsers_users") {
      edges {
        node {
          id
          ...portalUser_user
        }
      }
    }
  }
`;

export const user = graphql`
  fragment portalUser_user on User
  @refetchable(queryName: "portalUserAgainQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 10 }, cursor: { type: "String" }) {
    username
    state
    group {
      name
    }
    agentRules(first: $count, after: $cursor) @connection(key: "portalUser_agentRules") {
      edges {
        node {
          name
          active
          ... on UploadRule {
            ackMode
          }
        }
      }
    }
  }
`;

export const create = graphql`
  mutation portalCreateMutation($input: CreateUserInput!, $connections: [ID!]!) {
    createUser(input: $input) {
      user @appendNode(connections: $connections, edgeTypeName: "UserEdge") {
        ...portalUser_user
      }
      userErrors {
        code
        message
        field
      }
    }
  }
`;

export const remove = graphql`
  mutation portalDeleteMutation($input: DeleteUserInput!, $connections: [ID!]!) {
    deleteUser(input: $input) {
      deletedUserId @deleteEdge(connections: $connections)
      userErrors {
        code
      }
    }
  }
`;

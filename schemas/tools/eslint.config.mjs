// The recommended rules and those for Relay, for the schema and for the operations.
import graphql from "@graphql-eslint/eslint-plugin";

const { configs } = graphql;
const common = {
  plugins: { "@graphql-eslint": graphql },
  languageOptions: {
    parser: graphql.parser,
    parserOptions: { graphQLConfig: { schema: "./portal.graphql", documents: "./operations/*.graphql" } },
  },
};

export default [
  {
    ...common,
    files: ["portal.graphql"],
    rules: {
      ...configs["flat/schema-recommended"].rules,
      ...configs["flat/schema-relay"].rules,
      // It takes `username` for a `name` of `User`.
      "@graphql-eslint/no-typename-prefix": "off",
      // Parts of something else, found by its id.
      "@graphql-eslint/strict-id-in-types": [
        "error",
        {
          exceptions: {
            types: [
              "AllowedAction",
              "AuditChange",
              "Deployment",
              "MetadataEntry",
              "PageInfo",
              "PasswordPolicy",
              "UserError",
              "UsersChanged",
            ],
            suffixes: ["Connection", "Edge", "Payload"],
          },
        },
      ],
      // Connections have `nodes` beside `edges`, and short lists of parts need no pages.
      "@graphql-eslint/relay-edge-types": [
        "error",
        { withEdgeSuffix: true, shouldImplementNode: true, listTypeCanWrapOnlyEdgeType: false },
      ],
    },
  },
  {
    ...common,
    files: ["operations/*.graphql"],
    rules: configs["flat/operations-recommended"].rules,
  },
];

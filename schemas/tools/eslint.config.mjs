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
              // A user of the past: the user that they became has the id.
              "UserAsOf",
              "UserError",
              "UsersChanged",
            ],
            suffixes: ["Connection", "Edge", "Payload"],
          },
        },
      ],
      // Connections have `nodes` beside `edges`, and short lists of parts need no pages. Sessions, deliveries and users of the past
      // are rows that `node` does not find.
      "@graphql-eslint/relay-edge-types": [
        "error",
        { withEdgeSuffix: true, shouldImplementNode: false, listTypeCanWrapOnlyEdgeType: false },
      ],
      // Sessions and the users of an instant are listed forward alone.
      "@graphql-eslint/relay-arguments": ["error", { includeBoth: false }],
    },
  },
  {
    ...common,
    files: ["operations/*.graphql"],
    rules: configs["flat/operations-recommended"].rules,
  },
];

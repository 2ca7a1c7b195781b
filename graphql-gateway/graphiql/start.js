// Starts GraphiQL on this gateway, with a first operation that says how to sign in.
"use strict";

const GREETING = `# Sign in: fill in name and password, and run this.
#
# Put the session that comes back into the editor
# "Headers" below, as {"Authorization": "Bearer …"}.
# A temporary password has to be changed before
# anything else: mutation changePassword.

mutation SignIn {
  signIn(input: {
    username: "administrator"
    password: ""
  }) {
    sessionToken
    mustChangePassword
    userErrors {
      code
      message
    }
  }
}
`;

ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, {
    fetcher: GraphiQL.createFetcher({ url: "/graphql" }),
    defaultQuery: GREETING,
    defaultEditorToolsVisibility: "headers",
  }),
);

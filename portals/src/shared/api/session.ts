/** Who is signed in, and what the deployment says about itself. */

import { queryOptions } from "@tanstack/react-query";
import { graphql } from "#shared/api/graphql";
import { ask } from "./ask";
import { refusalsOf } from "./commands";
import { type Refusal, RequestError } from "./errors";

const Viewer = graphql(`
  query Viewer {
    viewer { id username firstName lastName email phone roles state mustChangePassword version group { id name } }
  }
`);

const SignIn = graphql(`
  mutation SignIn($input: SignInInput!) {
    signIn(input: $input) {
      viewer { id }
      mustChangePassword
      userErrors { code message field }
    }
  }
`);

const SignOut = graphql(`
  mutation SignOut { signOut { userErrors { code message field } } }
`);

const ChangePassword = graphql(`
  mutation ChangePassword($input: ChangePasswordInput!) {
    changePassword(input: $input) { userErrors { code message field } }
  }
`);

/** Null when nobody is signed in. With `mustChangePassword` the session can do nothing but that. */
export const viewerQuery = queryOptions({
  queryKey: ["viewer"],
  queryFn: async ({ signal }) => {
    try {
      return (await ask(Viewer, {}, signal)).viewer ?? null;
    } catch (error) {
      if (error instanceof RequestError && error.code === "UNAUTHENTICATED") return null;
      throw error;
    }
  },
  staleTime: 30_000,
});

/** The refusals of a sign-in; none when it succeeded. */
export const signIn = async (username: string, password: string): Promise<readonly Refusal[]> =>
  refusalsOf((await ask(SignIn, { input: { username, password, cookie: true } })).signIn);

export const signOut = () => ask(SignOut);

export const changePassword = async (currentPassword: string, newPassword: string): Promise<readonly Refusal[]> =>
  refusalsOf((await ask(ChangePassword, { input: { currentPassword, newPassword } })).changePassword);

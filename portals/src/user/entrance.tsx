/** The door of the user portal: sign in, or register. */

import { lazy, Suspense, useState } from "react";
import { Button } from "react-aria-components";
import { SignIn } from "#shared/door/sign-in";

const Register = lazy(() => import("./register"));

export function Entrance() {
  const [registering, setRegistering] = useState(location.pathname === "/register");
  const go = (register: boolean) => {
    history.pushState(null, "", register ? "/register" : "/");
    setRegistering(register);
  };
  if (registering) {
    return (
      <Suspense>
        <Register onBack={() => go(false)} />
      </Suspense>
    );
  }
  return (
    <SignIn
      title="Muster"
      more={
        <p className="hint">
          No account yet?{" "}
          <Button className="button" data-kind="quiet" onPress={() => go(true)}>
            Register
          </Button>
        </p>
      }
    />
  );
}

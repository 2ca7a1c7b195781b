/** The admin portal. Its pages are loaded once somebody is signed in. */

import { SignedIn, start } from "#shared/app";
import { SignIn } from "#shared/door/sign-in";

start(<SignedIn door={<SignIn title="Muster admin" />} pages={() => import("./portal")} />);

/** The user portal. Its pages are loaded once somebody is signed in. */

import { SignedIn, start } from "#shared/app";
import { Entrance } from "./entrance";

start(<SignedIn door={<Entrance />} pages={() => import("./portal")} />);

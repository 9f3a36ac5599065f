/** The entry of the Memory page: an agent in an arena, maps as they form, episodes that come back. */

import { startPage } from "../run/start.mjs";
import { follow } from "./follow.mjs";

startPage(follow);

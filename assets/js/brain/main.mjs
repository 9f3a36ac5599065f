/** The entry of the Brain page: a text is read word by word; what each word does to a brain. */

import { startPage } from "../run/start.mjs";
import { follow } from "./follow.mjs";

startPage(follow);

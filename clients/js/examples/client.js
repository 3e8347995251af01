// One connection for all of a page.

import { connect } from "plugsock";

export const client = connect();

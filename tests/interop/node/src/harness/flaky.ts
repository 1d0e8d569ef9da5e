// Loses every third push: by turns before it reaches the server, and after, so that only the answer is lost.

import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";

export class Flaky {
  losing = false;
  lost = 0;
  private pushes = 0;

  readonly interceptor: Interceptor = (next) => async (request) => {
    if (!this.losing || request.method.name !== "Push" || ++this.pushes % 3 !== 0) return next(request);
    if (this.pushes % 2 === 0) await next(request);
    this.lost += 1;
    throw new ConnectError("lost on the way", Code.Unavailable);
  };
}

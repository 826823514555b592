// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.c10d;

import java.io.IOException;
import java.net.BindException;
import java.util.Locale;
import java.util.Objects;

/** Why a connection failed, in a few words for the end of a message. */
public final class Reasons {
  /** Ports below need a privilege, so that binding to one can fail for two reasons. */
  private static final int FIRST_FREE_PORT = 1024;

  private Reasons() {}

  /** The exception's own words, begun as a part of a sentence. */
  public static String of(IOException e) {
    String text = Objects.requireNonNullElse(e.getMessage(), e.getClass().getSimpleName());
    return text.isEmpty()
        ? text
        : text.substring(0, 1).toLowerCase(Locale.ROOT) + text.substring(1);
  }

  /** Why a port cannot be listened on. */
  static String of(BindException e, int port) {
    return port >= FIRST_FREE_PORT ? "address already in use" : of(e);
  }
}

// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

/** Java's permission to call native libraries, which the command line gives. */
public final class NativeAccess {
  private static final String MODULES = "org.relaydiffusion.nativeconfig,org.relaydiffusion.torch";

  private NativeAccess() {}

  /** The exception for a call that Java does not permit: it names the option that does. */
  public static NativeLibraryException refusal(Throwable cause) {
    boolean onModulePath = NativeAccess.class.getModule().isNamed();
    return new NativeLibraryException(
        "Java may not call native libraries here: start it with --enable-native-access="
            + (onModulePath ? MODULES : "ALL-UNNAMED"),
        cause);
  }
}

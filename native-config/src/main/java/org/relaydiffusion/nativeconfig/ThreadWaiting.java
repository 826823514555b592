// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * How OpenMP's threads wait for the next operator. By default they turn in circles for milliseconds
 * before they sleep; where other processes want the cores, the thread that has work to do then
 * stands behind those that wait for it, and a run takes many times as long as on one thread. Some
 * ten microseconds are enough for the pause between two operators.
 */
final class ThreadWaiting {
  /** Each changes the waiting in some OpenMP; any of them set by the user stands for all. */
  private static final List<String> USERS =
      List.of("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME");

  // GNU's OpenMP counts turns, Intel's and LLVM's milliseconds.
  private static final Map<String, String> CHOSEN =
      Map.of("GOMP_SPINCOUNT", "1000", "KMP_BLOCKTIME", "1");

  private ThreadWaiting() {}

  /** OpenMP reads the variables when it is loaded, so this comes before. */
  static void shorten() {
    if (ofUser(System.getenv()).isEmpty()) {
      CHOSEN.forEach(NativeEnvironment::setUnlessSet);
    }
  }

  /** What OpenMP found in the environment when it was loaded. */
  static DoctorReport.Waiting examine(Settings settings) {
    return examine(System.getenv(), settings);
  }

  static DoctorReport.Waiting examine(Map<String, String> environment, Settings settings) {
    SortedMap<String, String> asked = ofUser(environment);
    boolean isShort = asked.isEmpty() && settings.has(Settings.Change.SHORT_WAITS);
    return new DoctorReport.Waiting(isShort ? new TreeMap<>(CHOSEN) : asked, !asked.isEmpty());
  }

  private static SortedMap<String, String> ofUser(Map<String, String> environment) {
    SortedMap<String, String> found = new TreeMap<>(environment);
    found.keySet().retainAll(USERS);
    return found;
  }
}

// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.cpp;

import java.util.List;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.OperatorVector;
import org.bytedeco.pytorch.global.torch;
import org.relaydiffusion.nativeconfig.JniLibraries;

/** The schemas of all operators that the bundled LibTorch has registered, in its own words. */
public final class RegisteredSchemas {
  private RegisteredSchemas() {}

  public static List<String> all() {
    JniLibraries.load();
    try (OperatorVector all = torch.getAllOperators()) {
      return LongStream.range(0, all.size())
          .mapToObj(i -> torch.toString(all.get(i).schema()).getString())
          .sorted()
          .distinct()
          .toList();
    }
  }
}

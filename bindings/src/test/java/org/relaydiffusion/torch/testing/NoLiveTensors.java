// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.testing;

import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.relaydiffusion.torch.Tensor;

/**
 * Fails a test that ends with more open tensors than it began with. Registered for every test of
 * every module through {@code META-INF/services}.
 */
public final class NoLiveTensors implements BeforeEachCallback, AfterEachCallback {
  private static final ExtensionContext.Namespace NAMESPACE =
      ExtensionContext.Namespace.create(NoLiveTensors.class);

  @Override
  public void beforeEach(ExtensionContext context) {
    context.getStore(NAMESPACE).put("live", Tensor.liveCount());
  }

  @Override
  public void afterEach(ExtensionContext context) {
    Long before = context.getStore(NAMESPACE).get("live", Long.class);
    long after = Tensor.liveCount();
    if (before != null && after != before) {
      throw new AssertionError(
          "%s tensors were open before this test and %s are after it".formatted(before, after));
    }
  }
}

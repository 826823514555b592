// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import java.util.Optional;
import java.util.OptionalLong;
import org.relaydiffusion.RdmException;

/**
 * A set of images with activations owned by the caller.
 *
 * @param pool the pool features
 * @param spatial the spatial features, if any
 */
record GivenActivations(Activations pool, Optional<Activations> spatial) implements ActivationSet {
  GivenActivations {
    if (spatial.isPresent() && spatial.get().count() != pool.count()) {
      throw new RdmException(
          "%s has %s images, but %s has %s"
              .formatted(pool.name(), pool.count(), spatial.get().name(), spatial.get().count()));
    }
  }

  @Override
  public String name() {
    return pool.name();
  }

  @Override
  public OptionalLong count() {
    return OptionalLong.of(pool.count());
  }

  @Override
  public boolean hasActivations(Feature feature) {
    return feature == Feature.POOL || spatial.isPresent();
  }

  @Override
  public boolean hasMoments(Feature feature) {
    return hasActivations(feature);
  }

  @Override
  public long dimensions(Feature feature, String purpose) {
    return activations(feature, purpose).dimensions();
  }

  @Override
  public Activations activations(Feature feature, String purpose) {
    return feature == Feature.POOL
        ? pool
        : spatial.orElseThrow(() ->
            new RdmException(
                "%s: %s requires spatial features, but none were given"
                    .formatted(name(), purpose)));
  }

  @Override
  public Moments moments(Feature feature, String purpose, WorkOptions work) {
    return Moments.of(activations(feature, purpose), work);
  }

  @Override
  public void close() {
    // Nothing to close: the activations are owned by the caller.
  }
}

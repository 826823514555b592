package org.relaydiffusion.metrics;

import java.util.OptionalLong;
import org.relaydiffusion.RdmException;

/**
 * What is known of one set of images, which {@link Metrics} compares with another: their
 * activations, or no more than the moments of these. {@link ActivationsFile} reads it from a file,
 * {@link ActivationCollector} gathers it from images.
 */
public interface ActivationSet extends AutoCloseable {
  /** What messages call it: a file, or where the images come from. */
  String name();

  /** The number of images, where it is known. */
  OptionalLong count();

  /** Whether the activations themselves are there. */
  boolean hasActivations(Feature feature);

  /** Whether there are moments, or activations to compute them from. */
  boolean hasMoments(Feature feature);

  /**
   * The activations, valid until this is closed. NaN and infinite elements are errors when their
   * rows are read.
   *
   * @param purpose what they are for, such as {@code precision and recall}, for the message
   * @throws RdmException saying what is lacking
   */
  Activations activations(Feature feature, String purpose);

  /**
   * Mean and covariance: known already, or computed in one pass over the activations.
   *
   * @param purpose what they are for, such as {@code sFID}, for the message
   * @return the caller closes it
   * @throws RdmException saying what is lacking, or that there are fewer than 2 images
   */
  Moments moments(Feature feature, String purpose, WorkOptions work);

  @Override
  void close();
}

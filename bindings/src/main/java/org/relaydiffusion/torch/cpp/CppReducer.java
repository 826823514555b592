// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.cpp;

import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.BoolVector;
import org.bytedeco.pytorch.Logger;
import org.bytedeco.pytorch.Reducer;
import org.bytedeco.pytorch.SizeTStringMap;
import org.bytedeco.pytorch.SizeTVector;
import org.bytedeco.pytorch.SizeTVectorVector;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * LibTorch's {@code c10d::Reducer}: while a backward pass goes on, it averages the gradients that
 * are ready over all processes, a bucket of parameters at a time. One thread at a time.
 */
public final class CppReducer implements AutoCloseable {
  // The first bucket is small, so that the first all-reduce begins early; as in Python.
  private static final long FIRST_BUCKET_BYTES = 1 << 20;

  private static final int MOST_NAMES = 5;
  private static final Pattern LEFT_OUT =
      Pattern.compile("Parameter indices which did not receive grad for rank \\d+: ([\\d ,]+)");

  private final Reducer reducer;
  private final Logger owner;
  private final List<String> names;

  /**
   * @param made spared from the current call's end
   */
  private CppReducer(Reducer made, List<String> names) {
    this.names = names;
    reducer = made;
    // It calls its logger without asking whether there is one. A logger owns its reducer; JavaCPP,
    // which made it with plain new, goes on to think that it does.
    owner = Cpp.kept(new Logger(made));
    made.deallocate(false);
    made.set_logger(owner);
  }

  /** Whether a forward pass may leave parameters out. */
  public enum Unused {
    /** Each parameter gets a gradient in each pass. */
    NONE,
    /** They are looked for in the graph before each backward pass. */
    FIND
  }

  /**
   * Hooks itself to the parameters.
   *
   * @param parameters in the order in which the network was built; they stay the caller's
   * @param names as many, for messages
   */
  public static CppReducer of(
      CppGroup group, TensorHandles parameters, List<String> names, long bucketBytes, Unused unused)
      throws CppException {
    return Cpp.call(() -> {
      TensorVector tensors = Cpp.vector(parameters.addresses());
      long first = Math.min(FIRST_BUCKET_BYTES, bucketBytes);
      SizeTStringMap labels = new SizeTStringMap();
      for (int i = 0; i < names.size(); i++) {
        labels.put(i, names.get(i));
      }
      return new CppReducer(
          Cpp.kept(
              new Reducer(
                  tensors,
                  buckets(tensors, first, bucketBytes),
                  group.group(),
                  new BoolVector(new boolean[names.size()]),
                  bucketBytes,
                  unused == Unused.FIND,
                  false,
                  labels,
                  first,
                  false,
                  false)),
          List.copyOf(names));
    });
  }

  /** Gradients are ready from the last parameter on, so that is where the first bucket is. */
  private static SizeTVectorVector buckets(TensorVector tensors, long first, long bucketBytes) {
    SizeTVectorVector forward =
        torch
            .compute_bucket_assignment_by_size(tensors, new SizeTVector(first, bucketBytes))
            .get0();
    SizeTVectorVector backward = new SizeTVectorVector(forward.size());
    for (long i = 0; i < forward.size(); i++) {
      backward.put(i, forward.get(forward.size() - 1 - i));
    }
    return backward;
  }

  /**
   * To be called before a forward pass whose gradients are to be averaged. After the first pass the
   * buckets are put in the order in which gradients turned out to be ready.
   */
  public void prepareForward() throws CppException {
    try {
      Cpp.run(() -> {
        reducer.prepare_for_forward();
        reducer.rebuild_buckets();
      });
    } catch (CppException e) {
      Matcher left = LEFT_OUT.matcher(e.text());
      throw left.find()
          ? new CppException(
              "the last backward pass reached no %s, and unused parameters are not looked for"
                  .formatted(names(left.group(1))))
          : e;
    }
  }

  private String names(String indices) {
    List<String> all =
        Arrays.stream(indices.strip().split("[ ,]+"))
            .map(i -> names.get(Integer.parseInt(i)))
            .toList();
    return String.join(", ", all.subList(0, Math.min(MOST_NAMES, all.size())))
        + (all.size() > MOST_NAMES ? " and %s more".formatted(all.size() - MOST_NAMES) : "");
  }

  /**
   * To be called between the forward and the backward pass.
   *
   * @param outputs what will be differentiated, where unused parameters are to be found; else none
   */
  public void prepareBackward(TensorHandles outputs) throws CppException {
    Cpp.run(() -> reducer.prepare_for_backward(Cpp.vector(outputs.addresses())));
  }

  /** Goes back from a tensor of one element. */
  public static void backward(TensorHandles root) throws CppException {
    Cpp.run(() -> Cpp.tensor(root.addresses().getFirst()).backward());
  }

  /** Takes its hooks off the parameters. */
  @Override
  public void close() {
    owner.deallocate();
  }
}

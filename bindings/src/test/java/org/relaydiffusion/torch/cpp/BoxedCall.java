// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.cpp;

import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Argument;
import org.bytedeco.pytorch.Dispatcher;
import org.bytedeco.pytorch.FunctionSchema;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.OperatorHandle;
import org.bytedeco.pytorch.Tensor;
import org.relaydiffusion.nativeconfig.JniLibraries;
import org.relaydiffusion.torch.ffi.TensorAbi;

/** Calls an operator as LibTorch's own interpreter does, through JavaCPP: what ours must equal. */
public final class BoxedCall {
  private BoxedCall() {}

  /**
   * Calls with tensors for the first parameters and defaults for the others.
   *
   * @return a handle of the one tensor that it returns, the caller's; empty where LibTorch refuses
   */
  public static Optional<Long> tensor(String name, String overload, long... handles) {
    // Whichever test comes first: JavaCPP would load a second LibTorch.
    JniLibraries.load();
    try (PointerScope _ = new PointerScope()) {
      OperatorHandle operator = Dispatcher.singleton().findSchemaOrThrow(name, overload);
      FunctionSchema schema = operator.schema();
      IValueVector stack = new IValueVector();
      // JavaCPP's view of a std::vector: a pointer to the first element, and where it ends.
      Argument arguments = schema.arguments();
      for (long i = 0; i < arguments.limit(); i++) {
        stack.push_back(
            i < handles.length
                ? new IValue(Cpp.tensor(handles[(int) i]))
                : arguments.getPointer(Argument.class, i).default_value().get());
      }
      operator.callBoxed(stack);
      Tensor result = stack.get(0).toTensor();
      return Optional.of(TensorAbi.clone(result.address()));
    } catch (RuntimeException e) {
      return Optional.empty();
    }
  }
}

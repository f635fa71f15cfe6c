//! Transforms of lists of arrays: rules, wrong counts, named inputs, graphs as text.

use mlx_core::compile::{CompileMode, compile, set_compile_mode};
use mlx_core::export::{Exporter, Named, export_to_dot, import_function, print_graph};
use mlx_core::transforms::{Rules, custom_function, custom_jvp, custom_vjp, grad, jvp, value_and_grad, vjp, vmap};
use mlx_core::{Array, Device, Dtype, Result, Stream, ops, with_stream};
use std::cell::Cell;

fn number(value: f32) -> Array {
    Array::from_slice(&[value], &[]).unwrap()
}

fn vector(values: &[f32]) -> Array {
    Array::from_slice(values, &[values.len() as i32]).unwrap()
}

fn product(x: &[Array]) -> Result<Vec<Array>> {
    Ok(vec![ops::multiply(&x[0], &x[1])?, ops::add(&x[0], &x[1])?])
}

#[track_caller]
fn fails<T>(result: Result<T>, text: &str) {
    let error = result.err().expect("an error was expected");
    assert!(error.message().contains(text), "{error}");
}

#[test]
fn arguments_by_number() {
    let inputs = [number(2.0), number(5.0)];
    let (values, slopes) = value_and_grad(product, &inputs, &[1]).unwrap();
    assert_eq!((values[0].item::<f32>().unwrap(), values[1].item::<f32>().unwrap()), (10.0, 7.0));
    assert_eq!(slopes.iter().map(|slope| slope.item::<f32>().unwrap()).collect::<Vec<_>>(), [2.0]);
    let both = grad(product, &inputs, &[0, 1]).unwrap();
    assert_eq!(both.iter().map(|slope| slope.item::<f32>().unwrap()).collect::<Vec<_>>(), [5.0, 2.0]);
    fails(grad(product, &inputs, &[2]), "Invalid argument number");
    fails(grad(product, &inputs, &[0, 0]), "Repeat argument number");
    fails(vjp(product, &inputs, &[number(1.0)]), "gave 2 arrays, not 1");
    fails(jvp(product, &inputs, &[number(1.0)]), "number of tangents");
    fails(vmap(product, &inputs, &[None], |_| Ok(vec![0, 0])), "1 input axes for 2 inputs");
    fails(
        vmap(product, &[vector(&[1.0]), number(1.0)], &[Some(0), None], |_| Ok(vec![0])),
        "1 output axes for 2 outputs",
    );
}

#[test]
fn each_transform_has_its_rule() {
    let fives = |arrays: &[Array]| {
        arrays.iter().map(|a| ops::full(a.shape(), &number(5.0), a.dtype())).collect::<Result<Vec<_>>>()
    };
    let mapped = std::rc::Rc::new(Cell::new(None));
    let seen = mapped.clone();
    let f = custom_function(
        product,
        Rules {
            vjp: Some(Box::new(move |primals, _, _| fives(primals))),
            jvp: Some(Box::new(|primals, tangents| {
                assert!(tangents[0].is_some() && tangents[1].is_none());
                Ok(vec![primals[1].clone(), primals[0].clone()])
            })),
            vmap: Some(Box::new(move |inputs, axes| {
                seen.set(Some(axes.to_vec()));
                product(inputs)
            })),
        },
    )
    .unwrap();
    let inputs = [number(2.0), number(3.0)];
    assert_eq!(f.call(&inputs).unwrap()[0].item::<f32>().unwrap(), 6.0);
    assert_eq!(grad(|x| f.call(x), &inputs, &[0]).unwrap()[0].item::<f32>().unwrap(), 5.0);
    let along = |x: &[Array]| f.call(&[x[0].clone(), number(3.0)]);
    let (_, slopes) = jvp(along, &[number(2.0)], &[number(1.0)]).unwrap();
    assert_eq!(slopes[1].item::<f32>().unwrap(), 2.0);
    let rows = vmap(|x| f.call(x), &[vector(&[1.0, 2.0]), number(4.0)], &[Some(0), None], |_| Ok(vec![0, 0])).unwrap();
    assert_eq!(rows[0].to_vec::<f32>().unwrap(), [4.0, 8.0]);
    assert_eq!(mapped.take(), Some(vec![Some(0), None]));
}

#[test]
fn rules_of_the_wrong_length_are_errors() {
    let few = custom_vjp(product, |_, _, _| Ok(vec![number(1.0)])).unwrap();
    let inputs = [number(2.0), number(3.0)];
    fails(grad(|x| few.call(x), &inputs, &[1]), "[custom_vjp] The rule gave 1 arrays, not 2.");
    let many = custom_jvp(product, |_, _| Ok(vec![number(1.0); 3])).unwrap();
    fails(jvp(|x| many.call(x), &inputs, &inputs), "[custom_jvp] The rule gave 3 arrays, not 2.");
    let none = custom_vjp(|_| Ok(vec![]), |_, _, _| Ok(vec![])).unwrap();
    fails(none.call(&inputs), "gave no array");
    fails(grad(|_| Ok(vec![]), &inputs, &[0]), "gave no loss");
}

#[test]
fn traces_hold_results_that_are_inputs_or_constants() {
    let constant = vector(&[8.0]);
    let f =
        compile(|x: &[Array]| Ok(vec![x[1].clone(), constant.clone(), x[0].clone(), ops::add(&x[0], &x[0])?]), false);
    for values in [[1.0, 2.0], [3.0, 4.0]] {
        let outputs = f.call(&values.map(|value| vector(&[value]))).unwrap();
        let found: Vec<f32> = outputs.iter().map(|output| output.item::<f32>().unwrap()).collect();
        assert_eq!(found, [values[1], 8.0, values[0], 2.0 * values[0]]);
    }
    // Ops of several results, and results used twice.
    let f = compile(|x: &[Array]| Ok(ops::split(&x[0], &[1, 3], 0)?.into_iter().rev().collect()), false);
    for _ in 0..2 {
        let parts = f.call(&[vector(&[1.0, 2.0, 3.0, 4.0])]).unwrap();
        assert_eq!(parts[0].to_vec::<f32>().unwrap(), [4.0]);
        assert_eq!(parts[1].to_vec::<f32>().unwrap(), [2.0, 3.0]);
    }
    let f = compile(|x: &[Array]| ops::split(&x[0], &[1], 0), true);
    fails(f.call(&[vector(&[1.0, 2.0])]), "Split cannot infer output shapes");
}

#[test]
fn files_with_named_inputs_and_metadata() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f.mlxfn");
    let f = |x: &[Array], named: &Named| {
        let minus = ops::subtract(&x[0], &named["minus"])?;
        Ok(vec![named.get("a").map_or(Ok(minus.clone()), |a| ops::multiply(&minus, a))?])
    };
    let x = [number(7.0)];
    let minus = Named::from([("minus".to_string(), number(3.0))]);
    let both = Named::from([("minus".to_string(), number(3.0)), ("a".to_string(), number(10.0))]);
    let mut exporter = Exporter::new(&path, false, "two traces").unwrap();
    exporter.add(f, &x, &minus).unwrap();
    exporter.add(f, &x, &both).unwrap();
    fails(exporter.add(f, &x, &minus), "twice with the same signature");
    drop(exporter);
    let f = import_function(&path).unwrap();
    assert_eq!(f.metadata().unwrap(), "two traces");
    assert_eq!(f.call(&x, &minus).unwrap()[0].item::<f32>().unwrap(), 4.0);
    assert_eq!(f.call(&x, &both).unwrap()[0].item::<f32>().unwrap(), 40.0);
    fails(f.call(&x, &Named::new()), "No imported function found");
    // On threads of their own, and on a stream.
    let read = |path| import_function(path)?.call(&[number(7.0)], &Named::from([("minus".to_string(), number(3.0))]));
    for _ in 0..3 {
        let path = path.clone();
        let value = std::thread::spawn(move || {
            let stream = Stream::new(Device::Cpu).unwrap();
            with_stream(stream, || read(path)).unwrap()[0].item::<f32>().unwrap()
        });
        assert_eq!(value.join().unwrap(), 4.0);
    }
}

#[test]
fn graphs_as_text() {
    let x = number(1.0);
    let y = ops::exp(&ops::add(&x, &x).unwrap()).unwrap();
    let named = Named::from([("start".to_string(), x), ("end".to_string(), y.clone())]);
    let dot = export_to_dot(std::slice::from_ref(&y), &named).unwrap();
    assert!(dot.starts_with("digraph") && dot.contains("start") && dot.contains("Exp"), "{dot}");
    let text = print_graph(&[y], &named).unwrap();
    assert!(text.contains("Add") && text.contains("end"), "{text}");
}

#[test]
fn a_disabled_compiler_calls_the_function() {
    if !mlx_tests::alone("core::transforms::a_disabled_compiler_calls_the_function") {
        return;
    }
    let runs = Cell::new(0);
    let f = compile(
        |x: &[Array]| {
            runs.set(runs.get() + 1);
            Ok(vec![ops::astype(&x[0], Dtype::F16)?])
        },
        false,
    );
    for (mode, expected) in [(CompileMode::Enabled, 1), (CompileMode::Disabled, 3), (CompileMode::Enabled, 3)] {
        set_compile_mode(mode).unwrap();
        f.call(&[number(1.0)]).unwrap();
        f.call(&[number(1.0)]).unwrap();
        assert_eq!(runs.get(), expected);
    }
}

#[test]
fn what_pads_is_constant_to_gradients() {
    let padded = |x: &[Array]| Ok(vec![ops::sum(&ops::pad(&x[0], &[0], &[1], &[2], &x[1], "constant")?, &[0], false)?]);
    let slopes = grad(padded, &[vector(&[1.0, 2.0]), number(3.0)], &[0, 1]).unwrap();
    assert_eq!(slopes[0].to_vec::<f32>().unwrap(), [1.0, 1.0]);
    assert_eq!(slopes[1].item::<f32>().unwrap(), 0.0);
}

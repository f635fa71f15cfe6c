//! Compiled functions (same values, traced once, freed, no C++ compiler) and functions as files.

use mlx_ops::transforms::*;
use mlx_ops::{Device, Dtype, Error, Result, Stream, Tensor, arange, full, memory, ones, random, with_stream, zeros};
use mlx_tests::max_difference;
use std::cell::Cell;
use std::collections::BTreeMap;

#[track_caller]
fn check(result: Result<Tensor>, shape: &[i32], values: &[f32]) {
    let tensor = result.unwrap();
    assert_eq!(tensor.shape(), shape);
    let found = tensor.to_vec::<f32>().unwrap();
    assert!(max_difference(&found, values) < 3e-6, "{found:?} is not {values:?}");
}

fn vector(values: &[f32]) -> Tensor {
    Tensor::from_slice(values, [values.len() as i32]).unwrap()
}

/// Twenty elementwise ops, with equal parts, constants, and a part that does not depend on `x`.
fn chain(x: &Tensor) -> Result<Tensor> {
    let mut y = x.clone();
    for _ in 0..4 {
        y = ((y * 0.5)?.sin()? + x.sin()?)?.abs()?;
        y = ((y + 1.0)?.log()? + (full([1], 2.0, Dtype::F32)? * 3.0)?.sqrt()?)?;
    }
    Ok(y)
}

#[test]
fn compiled_values_are_the_same_and_the_function_runs_once_for_each_kind() {
    let runs = Cell::new(0);
    let compiled = compile(|x: &Tensor| {
        runs.set(runs.get() + 1);
        chain(x)
    });
    let inputs = [vector(&[0.5, -1.0]), vector(&[3.0, 4.0]), ones([2, 2], Dtype::F32).unwrap(), vector(&[7.0, 8.0])];
    for x in &inputs {
        check(compiled.call(x), x.shape(), &chain(x).unwrap().to_vec::<f32>().unwrap());
    }
    assert_eq!(runs.get(), 2, "one run for each shape");
    let _ = compiled.call(&inputs[0].astype(Dtype::F16).unwrap()).unwrap();
    assert_eq!(runs.get(), 3, "another for another dtype");
    let stream = Stream::new(Device::Cpu).unwrap();
    check(
        with_stream(stream, || compiled.call(&inputs[1])),
        &[2],
        &chain(&inputs[1]).unwrap().to_vec::<f32>().unwrap(),
    );
    assert_eq!(runs.get(), 4, "another for another stream");
    // Inside other transforms, and around them.
    let slope = grad(|x: &Tensor| compiled.call(x)?.sum(.., false))(&inputs[0]).unwrap().to_vec::<f32>().unwrap();
    let direct = |x: &Tensor| chain(x)?.sum(.., false);
    check(grad(direct)(&inputs[0]), &[2], &slope);
    let around = compile(value_and_grad(direct));
    for _ in 0..2 {
        let (value, gradient) = around.call(&inputs[0]).unwrap();
        check(Ok(value), &[], &[direct(&inputs[0]).unwrap().item::<f32>().unwrap()]);
        check(Ok(gradient), &[2], &slope);
    }
    check(vmap(|x: &Tensor| around.call(x), 0, 0)(&inputs[2]).map(|both| both.1), &[2, 2], &{
        grad(direct)(&inputs[2]).unwrap().to_vec::<f32>().unwrap()
    });
}

#[test]
fn results_of_every_structure() {
    type Parts = (Vec<Tensor>, Option<Tensor>);
    let parts = compile(|(x, more): &(Tensor, Option<Tensor>)| -> Result<Parts> {
        let mut halves = x.split([1], 0)?;
        halves.push(x.clone());
        halves.push(vector(&[9.0]));
        Ok((halves, more.as_ref().map(|more| more + x).transpose()?))
    });
    for scale in [1.0, 2.0] {
        let x = (vector(&[1.0, 2.0]) * scale).unwrap();
        let (halves, none) = parts.call(&(x.clone(), None)).unwrap();
        let [first, second, whole, constant] = &halves[..] else { panic!("four tensors") };
        check(Ok(first.clone()), &[1], &[scale]);
        check(Ok(second.clone()), &[1], &[2.0 * scale]);
        check(Ok(whole.clone()), &[2], &[scale, 2.0 * scale]);
        check(Ok(constant.clone()), &[1], &[9.0]);
        assert!(none.is_none());
        let (_, some) = parts.call(&(x.clone(), Some(x))).unwrap();
        check(Ok(some.unwrap()), &[2], &[2.0 * scale, 4.0 * scale]);
    }
    // The same tensors in another place are another trace.
    let either = compile(|[a, b]: &[Option<Tensor>; 2]| match (a, b) {
        (Some(a), _) => a * 2.0,
        (_, Some(b)) => b * 3.0,
        _ => zeros([1], Dtype::F32),
    });
    check(either.call(&[Some(vector(&[1.0])), None]), &[1], &[2.0]);
    check(either.call(&[None, Some(vector(&[1.0]))]), &[1], &[3.0]);
    check(either.call(&[None, None]), &[1], &[0.0]);
}

#[test]
fn what_is_captured_is_constant_and_what_is_given_is_not() {
    let state = Cell::new(1.0f32);
    let scaled = compile(|x: &Tensor| x * state.get());
    check(scaled.call(&vector(&[2.0])), &[1], &[2.0]);
    state.set(10.0);
    check(scaled.call(&vector(&[2.0])), &[1], &[2.0]);
    check(scaled.call(&vector(&[2.0, 3.0])), &[2], &[20.0, 30.0]);
    let step = compile(|(x, sum): &(Tensor, Tensor)| Ok((x * 2.0)?).and_then(|y| Ok((y.clone(), (sum + &y)?))));
    let mut sum = vector(&[0.0]);
    for expected in [2.0, 4.0, 6.0] {
        let (_, next) = step.call(&(vector(&[1.0]), sum)).unwrap();
        sum = next;
        check(Ok(sum.clone()), &[1], &[expected]);
    }
    let draw = compile(|key: &Tensor| random::normal([2], Dtype::F32, Some(key)));
    let keys = [random::key(1).unwrap(), random::key(2).unwrap()];
    let drawn = keys.each_ref().map(|key| draw.call(key).unwrap().to_vec::<f32>().unwrap());
    assert_ne!(drawn[0], drawn[1]);
    assert_eq!(drawn[0], random::normal([2], Dtype::F32, Some(&keys[0])).unwrap().to_vec::<f32>().unwrap());
    let captured = vector(&[1.0]);
    let same = compile(|x: &Tensor| x + &captured);
    assert!(same.call(&captured).unwrap_err().message().contains("uncaptured inputs"));
}

#[test]
fn shapeless_traces_once() {
    let runs = Cell::new(0);
    let normal = compile_shapeless(|x: &Tensor| {
        runs.set(runs.get() + 1);
        let centered = (x - &x.mean(-1, true)?)?;
        &centered / &(centered.square()?.mean(-1, true)? + 1e-5)?.sqrt()?
    });
    for (rows, columns) in [(2, 3), (5, 3), (1, 8)] {
        let x = random::normal([rows, columns], Dtype::F32, None).unwrap();
        let expected = mlx_ops::fast::layer_norm(&x, None, None, 1e-5).unwrap().to_vec::<f32>().unwrap();
        check(normal.call(&x), &[rows, columns], &expected);
    }
    assert_eq!(runs.get(), 1);
    assert!(normal.call(&vector(&[1.0, 3.0])).is_ok());
    assert_eq!(runs.get(), 2, "another number of axes");
}

#[test]
fn a_failed_trace_leaves_nothing_behind() {
    let fails = Cell::new(true);
    let compiled = compile(|x: &Tensor| if fails.replace(false) { Err(Error::new("not yet")) } else { x.square() });
    assert_eq!(compiled.call(&vector(&[3.0])).unwrap_err().message(), "not yet");
    check(compiled.call(&vector(&[3.0])), &[1], &[9.0]);
    let reads = compile(|x: &Tensor| x * x.sum(.., false)?.item::<f32>()?);
    assert!(reads.call(&vector(&[3.0])).unwrap_err().message().contains("during function transformations"));
}

#[test]
fn a_dropped_function_frees_its_memory() {
    if !mlx_tests::alone("ops::compile::a_dropped_function_frees_its_memory") {
        return;
    }
    let x = vector(&[1.0, 2.0]);
    let before = memory::active_memory().unwrap();
    let big = arange(0.0, 1048576.0, 1.0, Dtype::F32).unwrap();
    big.eval().unwrap();
    let compiled = compile(move |x: &Tensor| (x + &big)?.max(.., false));
    for shape in [vec![], vec![1], vec![1, 1]] {
        let x = ones(shape, Dtype::F32).unwrap();
        check(compiled.call(&x), &[], &[1048576.0]);
    }
    assert!(memory::active_memory().unwrap() >= before + (4 << 20), "the function holds its constant");
    drop(compiled);
    let slope = checkpoint(|x: &Tensor| (x * &ones([1024, 1024], Dtype::F32)?.sum(.., false)?)?.sum(.., false));
    drop(grad(slope)(&x).unwrap().to_vec::<f32>().unwrap());
    memory::clear_cache().unwrap();
    assert_eq!(memory::active_memory().unwrap(), before);
}

/// A `g++` that leaves a mark stands alone in the path.
#[cfg(unix)]
#[test]
fn no_compiler_is_called() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let compiler = dir.path().join("g++");
    std::fs::write(&compiler, "#!/bin/sh\n: > \"$0.called\"\n").unwrap();
    std::fs::set_permissions(&compiler, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = [("PATH", dir.path().as_os_str())];
    if !mlx_tests::alone_with("ops::compile::no_compiler_is_called", path) {
        assert!(!dir.path().join("g++.called").exists(), "a compiler was called");
        return;
    }
    for mode in [CompileMode::Enabled, CompileMode::NoFuse, CompileMode::NoSimplify, CompileMode::Disabled] {
        set_compile_mode(mode).unwrap();
        let runs = Cell::new(0);
        let compiled = compile(|x: &Tensor| {
            runs.set(runs.get() + 1);
            chain(x)
        });
        for x in [vector(&[0.5, -1.0]), vector(&[3.0, 4.0])] {
            check(compiled.call(&x), &[2], &chain(&x).unwrap().to_vec::<f32>().unwrap());
        }
        assert_eq!(runs.get(), if mode == CompileMode::Disabled { 2 } else { 1 });
    }
    check(
        compile_shapeless(chain).call(&vector(&[0.0])),
        &[1],
        &chain(&vector(&[0.0])).unwrap().to_vec::<f32>().unwrap(),
    );
}

#[test]
fn functions_as_files() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("fixed.mlxfn");
    let weight = vector(&[1.0, 2.0, 3.0]);
    let f = |(x, y): &(Tensor, Tensor)| Ok((((x * &weight)?.softmax(-1)? + y)?, x.sum(.., false)?));
    let inputs = (vector(&[0.5, -1.0, 2.0]), vector(&[1.0; 3]));
    export_function(&path, f, &inputs, false).unwrap();
    let fixed = import_function(&path).unwrap();
    let outputs = fixed.call(&inputs).unwrap();
    let (expected, total) = f(&inputs).unwrap();
    check(Ok(outputs[0].clone()), &[3], &expected.to_vec::<f32>().unwrap());
    check(Ok(outputs[1].clone()), &[], &[total.item::<f32>().unwrap()]);
    let error = fixed.call(&vector(&[1.0])).unwrap_err();
    assert!(error.message().contains("No imported function found"), "{error}");
    assert_eq!(error.location().file(), file!());
    assert!(fixed.call_named(&inputs, &BTreeMap::from([("z".into(), inputs.0.clone())])).is_err());
    // What was read is a function like others.
    let slope = grad(|x: &Tensor| fixed.call(&(x.clone(), inputs.1.clone()))?[0].square()?.sum(.., false));
    let direct = grad(|x: &Tensor| f(&(x.clone(), inputs.1.clone()))?.0.square()?.sum(.., false));
    check(slope(&inputs.0), &[3], &direct(&inputs.0).unwrap().to_vec::<f32>().unwrap());

    let path = dir.path().join("shapeless.mlxfn");
    let square = |x: &Tensor| x.square()? * 3.0;
    let mut exporter = Exporter::new(&path, true).unwrap();
    exporter.add(square, &vector(&[1.0])).unwrap();
    exporter.add(square, &ones([1, 1], Dtype::F32).unwrap()).unwrap();
    drop(exporter);
    let shapeless = import_function(&path).unwrap();
    check(Ok(shapeless.call(&vector(&[1.0, 2.0])).unwrap()[0].clone()), &[2], &[3.0, 12.0]);
    check(Ok(shapeless.call(&full([2, 1], 2.0, Dtype::F32).unwrap()).unwrap()[0].clone()), &[2, 1], &[12.0, 12.0]);

    let path = dir.path().join("failed.mlxfn");
    let mut exporter = Exporter::new(&path, false).unwrap();
    let refuses = |_: &Tensor| -> Result<Tensor> { Err(Error::new("not for export")) };
    assert_eq!(exporter.add(refuses, &vector(&[1.0])).unwrap_err().message(), "not for export");
    assert!(exporter.add(square, &vector(&[1.0])).unwrap_err().message().contains("An earlier trace failed"));
    assert!(
        Exporter::new(dir.path().join("no/such/folder"), false)
            .and_then(|mut e| e.add(square, &vector(&[1.0])))
            .is_err()
    );
    assert!(import_function(dir.path().join("absent")).is_err());
}

// What TorchScript needs besides libtorch's own functions.
#pragma once

#include "guard.h"

#include <torch/csrc/jit/runtime/operator.h>

#include <pthread.h>

#include <cstdint>
#include <exception>
#include <limits>
#include <string>
#include <unordered_set>
#include <vector>

namespace torchhub {

// on_large_stack calls f on a thread of its own: libtorch's parser and compiler
// call themselves for each level of nesting.
template <class F> void on_large_stack(F f) {
	constexpr size_t kStack = 256 << 20;
	struct Job {
		F &f;
		std::exception_ptr thrown;
	} job{f, nullptr};
	auto run = [](void *p) -> void * {
		auto *job = static_cast<Job *>(p);
		try {
			job->f();
		} catch (...) {
			job->thrown = std::current_exception();
		}
		return nullptr;
	};
	pthread_attr_t attr;
	pthread_t thread;
	TORCH_CHECK(pthread_attr_init(&attr) == 0, "a thread could not be made");
	pthread_attr_setstacksize(&attr, kStack);
	int failed = pthread_create(&thread, &attr, run, &job);
	pthread_attr_destroy(&attr);
	TORCH_CHECK(!failed, "a thread with a stack of 256 MiB could not be made");
	pthread_join(thread, nullptr);
	if (job.thrown)
		std::rethrow_exception(job.thrown);
}

// divides are the operators of TorchScript that divide integers without a look at
// them: a division by zero, or of the smallest integer by -1, ends the process.
inline bool divides(const c10::OperatorName &name) {
	static const std::unordered_set<std::string> names{"aten::remainder.int", "aten::floordiv.int", "aten::divmod.int", "aten::gcd.int", "aten::mod.int"};
	return names.count(c10::toString(name)) > 0;
}

inline torch::jit::Operation checked_division(torch::jit::Operation op) {
	return [op](torch::jit::Stack &stack) mutable {
		int64_t a = torch::jit::peek(stack, 0, 2).toInt(), b = torch::jit::peek(stack, 1, 2).toInt();
		TORCH_CHECK(b != 0, "integer division or modulo by zero");
		TORCH_CHECK(b != -1 || a != std::numeric_limits<int64_t>::min(), "the quotient of ", a, " and ", b, " is no 64-bit integer");
		op(stack);
	};
}

inline torch::jit::Operation checked(Guard guard, size_t n, torch::jit::Operation op) {
	return [guard, n, op](torch::jit::Stack &stack) mutable {
		torch::jit::Stack args(stack.end() - ptrdiff_t(n), stack.end());
		guard(args);
		args.clear(); // a reference that is held keeps ops from working in place
		op(stack);
	};
}

// guard_scripts has scripts call the operators that guard.h knows, and those that
// divide integers, with their checks.
inline void guard_scripts() {
	std::unordered_set<std::string> names{"aten::remainder", "aten::floordiv", "aten::divmod", "aten::gcd", "aten::mod"};
	for (const auto &g : guards::table())
		names.insert(g.first.substr(0, g.first.find('.')));
	for (const std::string &name : names) {
		auto ops = torch::jit::getAllOperatorsFor(c10::Symbol::fromQualString(name)); // a copy
		bool any = false;
		for (const auto &op : ops)
			any = any || divides(op->schema().operator_name()) || guard_of(op->schema().operator_name());
		if (!any)
			continue;
		// All of a name are registered again, since the compiler takes the first one that matches.
		for (const auto &op : ops)
			torch::jit::deregisterOperator(op->schema());
		for (const auto &op : ops) {
			const auto &schema = op->schema();
			Guard guard = guard_of(schema.operator_name());
			auto handle = c10::Dispatcher::singleton().findSchema(schema.operator_name());
			if (divides(schema.operator_name()))
				torch::jit::registerOperator(torch::jit::Operator(c10::toString(schema), checked_division(op->getOperation()), op->aliasAnalysisKind()));
			else if (guard && handle)
				torch::jit::registerOperator(torch::jit::Operator(*handle, checked(guard, schema.arguments().size(), op->getOperation())));
			else
				torch::jit::registerOperator(torch::jit::Operator(*op));
		}
	}
}

} // namespace torchhub

//! Metrics as the memory exporter shows them.

use std::sync::Arc;

use polyspan::metrics::data::{
    HistogramValue, MetricData, MetricPoint as Point, MetricShape, MetricsData, PointValue,
};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::convert::to_python;

/// A data point of a metric: one series as it was collected, read only.
#[pyclass(frozen, module = "polyspan")]
pub struct MetricPoint {
    collected: Arc<MetricsData>,
    metric: usize,
    point: usize,
}

/// The data points of collections, in the order they were made.
pub fn points(py: Python<'_>, collected: Vec<MetricsData>) -> PyResult<Bound<'_, PyList>> {
    let list = PyList::empty(py);
    for collected in collected.into_iter().map(Arc::new) {
        for (metric, data) in collected.metrics.iter().enumerate() {
            for point in 0..data.points.len() {
                list.append(MetricPoint { collected: Arc::clone(&collected), metric, point })?;
            }
        }
    }
    Ok(list)
}

impl MetricPoint {
    fn metric(&self) -> Option<&MetricData> {
        self.collected.metrics.get(self.metric)
    }

    fn point(&self) -> Option<&Point> {
        self.metric()?.points.get(self.point)
    }

    fn histogram(&self) -> Option<&HistogramValue> {
        match &self.point()?.value {
            PointValue::Histogram(histogram) => Some(histogram),
            _ => None,
        }
    }
}

#[pymethods]
impl MetricPoint {
    /// The name of the metric, such as `gen_ai.client.token.usage`.
    #[getter]
    fn name(&self) -> &str {
        self.metric().map_or("", |metric| &metric.name)
    }

    /// The unit of the metric, such as `s`.
    #[getter]
    fn unit(&self) -> &str {
        self.metric().map_or("", |metric| &metric.unit)
    }

    /// What the metric says.
    #[getter]
    fn description(&self) -> &str {
        self.metric().map_or("", |metric| &metric.description)
    }

    /// `"counter"`, `"up_down_counter"` or `"histogram"`.
    #[getter]
    fn kind(&self) -> &'static str {
        match self.metric().map(|metric| metric.shape) {
            Some(MetricShape::Histogram) => "histogram",
            Some(MetricShape::Sum { monotonic: false }) => "up_down_counter",
            _ => "counter",
        }
    }

    /// `"cumulative"` where it counts from the start, `"delta"` since the collection before.
    #[getter]
    fn temporality(&self) -> &'static str {
        self.metric().map_or("", |metric| metric.temporality.as_str())
    }

    /// What tells the series from the others.
    #[getter]
    fn attributes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (key, value) in self.point().into_iter().flat_map(|point| &point.attributes) {
            dict.set_item(key, to_python(py, value)?)?;
        }
        Ok(dict)
    }

    /// The number; of a histogram the sum.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(match self.point().map(|point| &point.value) {
            Some(PointValue::Integer(value)) => value.into_pyobject(py)?.into_any(),
            Some(PointValue::Number(value)) => value.into_pyobject(py)?.into_any(),
            Some(PointValue::Histogram(histogram)) => histogram.sum.into_pyobject(py)?.into_any(),
            None => py.None().into_bound(py),
        })
    }

    /// How many values a histogram has; `None` for a number.
    #[getter]
    fn count(&self) -> Option<u64> {
        self.histogram().map(|histogram| histogram.count)
    }

    /// The smallest value of a histogram.
    #[getter]
    fn min(&self) -> Option<f64> {
        self.histogram()?.min
    }

    /// The largest value of a histogram.
    #[getter]
    fn max(&self) -> Option<f64> {
        self.histogram()?.max
    }

    /// Where the buckets of a histogram end; the last one has no end.
    #[getter]
    fn bounds(&self) -> Vec<f64> {
        self.histogram().map(|histogram| histogram.bounds.clone()).unwrap_or_default()
    }

    /// How many values each bucket of a histogram has.
    #[getter]
    fn buckets(&self) -> Vec<u64> {
        self.histogram().map(|histogram| histogram.buckets.clone()).unwrap_or_default()
    }

    /// From when on it counts, in nanoseconds since the Unix epoch.
    #[getter]
    fn start_time(&self) -> u64 {
        self.point().map_or(0, |point| point.start_unix_nanos)
    }

    /// When it was collected, in nanoseconds since the Unix epoch.
    #[getter]
    fn time(&self) -> u64 {
        self.point().map_or(0, |point| point.time_unix_nanos)
    }

    /// The attributes of the process that it is about.
    #[getter]
    fn resource<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (key, value) in &self.collected.resource.attributes {
            dict.set_item(key, to_python(py, value)?)?;
        }
        Ok(dict)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let value = self.value(py)?.repr()?;
        Ok(format!("<MetricPoint {} {} {value}>", self.name(), self.attributes(py)?.repr()?))
    }
}

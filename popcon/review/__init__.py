"""The reviewer's list: what a store's reviewers send back although it obeys every rule. Measured on finished pixels."""

from popcon.remark import Remark
from popcon.review.files import review_files
from popcon.review.reviewer import Look, look, review, sum_up

__all__ = ["Look", "Remark", "look", "review", "review_files", "sum_up"]

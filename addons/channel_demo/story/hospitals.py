"""Real public hospital names of seven provinces, as addresses; grades and everything that happens
to them here are invented for the demonstration."""

import csv

from odoo.tools import file_open

from .common import name_record

PROVINCES = ("350000", "370000", "310000", "110000", "420000", "500000", "120000")
PER_PROVINCE = 40
# Every fifth hospital of the list is taken for a grade 3A one, and so on: a plausible spread.
GRADES = ("3A", "2A", "3B", "2B", "3A", "1A", "2A", "3A")


def run(env):
    states = {
        region.code: region.state_id.id
        for region in env["channel.region"].search([
            ("level", "=", "province"), ("country_id", "=", env.ref("base.cn").id)
        ])
    }
    grades = {
        grade.code: grade.id
        for grade in env["channel.hospital.grade"].search([("country_id", "=", env.ref("base.cn").id)])
    }
    taken = dict.fromkeys(PROVINCES, 0)
    values = []
    with file_open("channel_demo/data/source/hospitals.csv", "r") as file:
        for row in csv.DictReader(file):
            province = row["province_code"]
            if province not in taken or taken[province] >= PER_PROVINCE:
                continue
            position = taken[province]
            taken[province] += 1
            values.append({
                "name": row["name"],
                "is_company": True,
                "channel_role": "hospital",
                "channel_hospital_grade_id": grades.get(GRADES[position % len(GRADES)]),
                "channel_hospital_ownership": "public",
                "channel_hospital_kind": "general",
                "street": row["address"],
                "city": row["city"],
                "state_id": states.get(province),
                "country_id": env.ref("base.cn").id,
                "lang": "zh_CN",
                "ref": f"DEMO-H{province}-{position:03d}",
            })
    hospitals = env["res.partner"].create(values)
    for hospital in hospitals:
        name_record(env, "hospital_" + hospital.ref[6:].replace("-", "_"), hospital)
